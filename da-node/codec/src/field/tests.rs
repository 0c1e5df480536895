//! The arithmetic held against blst.

use proptest::prelude::*;

use super::{Factor, Scalar, WideSum, check_canonical};
use crate::curve::reference::{self, ReferenceScalar};
use crate::{CodecError, ColumnIndex};

/// Residues, the edges among them.
pub(crate) fn scalars() -> impl Strategy<Value = Scalar> {
    let minus_one = Scalar::ZERO.minus(Scalar::from_u128(1));
    prop_oneof![
        1 => Just(Scalar::ZERO),
        1 => Just(Scalar::from_u128(1)),
        1 => Just(minus_one),
        1 => any::<u128>().prop_map(Scalar::from_u128),
        8 => any::<[u64; 7]>().prop_map(Scalar::from_wide),
    ]
}

proptest! {
    #[test]
    fn sums_products_and_inverses_are_those_of_blst(a in scalars(), b in scalars()) {
        let (x, y) = (ReferenceScalar::new(a), ReferenceScalar::new(b));
        prop_assert_eq!(a.plus(b), reference::add(x, y));
        prop_assert_eq!(a.minus(b), reference::subtract(x, y));
        prop_assert_eq!(a.times(b.to_factor()), reference::multiply(x, y));
        prop_assert_eq!(a.to_factor().times(b.to_factor()).to_scalar(), reference::multiply(x, y));
        prop_assert_eq!(a.to_factor().minus(b.to_factor()).to_scalar(), reference::subtract(x, y));
        prop_assert_eq!(a.to_factor().inverse().to_scalar(), reference::invert(x));
        prop_assert_eq!(a.to_factor().to_scalar(), a);
    }

    #[test]
    fn bytes_are_canonical_exactly_when_blst_says_so(bytes in any::<[u8; 32]>()) {
        let read = Scalar::from_bytes(&bytes);
        prop_assert_eq!(read.is_some(), reference::is_canonical(&bytes));
        if let Some(scalar) = read {
            prop_assert_eq!(scalar.to_bytes(), bytes);
        }
    }

    #[test]
    fn wide_numbers_are_reduced(wide in any::<[u64; 7]>()) {
        let mut expected = Scalar::ZERO;
        let limb = Factor::from_u64(1 << 32).times(Factor::from_u64(1 << 32));
        for value in wide.into_iter().rev() {
            expected = expected.times(limb).plus(Scalar::from_u128(value.into()));
        }
        prop_assert_eq!(Scalar::from_wide(wide), expected);
    }

    #[test]
    fn sums_of_products_are_reduced_once(
        terms in proptest::collection::vec((prop_oneof![Just(u128::MAX), any::<u128>()], scalars()), 0..40),
    ) {
        let mut sum = WideSum::ZERO;
        let mut expected = Scalar::ZERO;
        for (coefficient, element) in terms {
            sum.add_product(coefficient, element);
            expected = expected.plus(element.times(Scalar::from_u128(coefficient).to_factor()));
        }
        prop_assert_eq!(sum.to_scalar(), expected);
    }

    #[test]
    fn many_are_inverted_as_one(values in proptest::collection::vec(scalars(), 0..20)) {
        let mut factors: Vec<Factor> = values.iter().map(|value| value.to_factor()).collect();
        Factor::invert_all(&mut factors);
        for (value, inverse) in values.iter().zip(factors) {
            prop_assert_eq!(value.to_factor().inverse(), inverse);
        }
    }
}

#[test]
fn the_modulus_and_what_is_above_are_not_canonical() {
    let largest = Scalar::ZERO.minus(Scalar::from_u128(1)).to_bytes();
    let mut modulus = largest;
    modulus[31] += 1;
    assert!(Scalar::from_bytes(&largest).is_some());
    for bytes in [modulus, [0xff; 32]] {
        assert_eq!(Scalar::from_bytes(&bytes), None);
        let row = [largest, largest, bytes, bytes].concat();
        let column = ColumnIndex(2);
        assert_eq!(check_canonical(&row), Err(CodecError::NonCanonical { column }));
    }
}

#[test]
fn roots_of_unity_have_their_order() {
    for size in [1, 2, 4, 1024, 4096] {
        let root = Factor::root_of_unity_power(size, 1);
        assert_eq!(root.power(size as u64), Factor::ONE);
        assert!(size == 1 || root.power(size as u64 / 2) != Factor::ONE, "{size}");
        assert_eq!(Factor::root_of_unity_power(size, 3), root.power(3));
    }
}
