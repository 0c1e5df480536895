//! Rows held against elements, and thereby against blst: rows of every length, so that full vectors
//! and rests both occur.

use proptest::prelude::*;

use super::{RowFactor, add_scaled, backward, forward, scale};
use crate::field::tests::scalars;

proptest! {
    #[test]
    fn rows_are_their_elements(
        pairs in proptest::collection::vec((scalars(), scalars()), 0..40),
        factor in scalars(),
    ) {
        let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let factor = factor.to_factor();
        let row_factor = RowFactor::from(factor);

        let (mut x, mut y) = (a.clone(), b.clone());
        forward(&mut x, &mut y, &row_factor);
        for (index, (a, b)) in a.iter().zip(&b).enumerate() {
            prop_assert_eq!(x[index], a.plus(b.times(factor)), "forward, first, {}", index);
            prop_assert_eq!(y[index], a.minus(b.times(factor)), "forward, second, {}", index);
        }

        let (mut x, mut y) = (a.clone(), b.clone());
        backward(&mut x, &mut y, &row_factor);
        for (index, (a, b)) in a.iter().zip(&b).enumerate() {
            prop_assert_eq!(x[index], a.plus(*b), "backward, first, {}", index);
            prop_assert_eq!(y[index], a.minus(*b).times(factor), "backward, second, {}", index);
        }

        let mut sum = a.clone();
        add_scaled(&mut sum, &b, &row_factor);
        let mut scaled = b.clone();
        scale(&mut scaled, &row_factor);
        for (index, (a, b)) in a.iter().zip(&b).enumerate() {
            prop_assert_eq!(sum[index], a.plus(b.times(factor)), "add_scaled, {}", index);
            prop_assert_eq!(scaled[index], b.times(factor), "scale, {}", index);
        }
    }
}
