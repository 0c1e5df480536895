//! Coefficients of one row in others.

use super::domain::Domain;
use crate::RowIndex;
use crate::field::Factor;

/// The Lagrange basis of `R` rows: how any row of the matrix follows from them.
#[derive(Debug)]
pub(crate) struct Basis {
    domain: Domain,
    points: Vec<Factor>,
    /// `1 / Π (x_j - x_l)` over the other rows `l`.
    weights: Vec<Factor>,
}

impl Basis {
    /// Of `R` different rows.
    pub(crate) fn new(domain: Domain, rows: &[RowIndex]) -> Self {
        let points: Vec<Factor> = rows.iter().map(|row| domain.point(*row)).collect();
        let mut weights: Vec<Factor> = points
            .iter()
            .map(|point| {
                let others = points.iter().filter(|other| *other != point);
                others.fold(Factor::ONE, |product, other| product.times(point.minus(*other)))
            })
            .collect();
        Factor::invert_all(&mut weights);
        Self { domain, points, weights }
    }

    /// What the rows are multiplied by to give this row; it is none of them.
    pub(crate) fn coefficients(&self, row: RowIndex) -> Vec<Factor> {
        let target = self.domain.point(row);
        let mut differences: Vec<Factor> =
            self.points.iter().map(|point| target.minus(*point)).collect();
        let all = differences.iter().fold(Factor::ONE, |product, factor| product.times(*factor));
        Factor::invert_all(&mut differences);
        let terms = differences.iter().zip(&self.weights);
        terms.map(|(inverse, weight)| all.times(*inverse).times(*weight)).collect()
    }
}
