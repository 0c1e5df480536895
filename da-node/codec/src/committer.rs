//! Commitments of rows by way of the tables of the setup.

use std::sync::OnceLock;

use rayon::prelude::*;

use crate::curve::{P1, lagrange_points};
use crate::field::{Scalar, check_canonical};
#[cfg(target_arch = "x86_64")]
use crate::msm::Ifma;
use crate::msm::{FixedBase, Portable};
use crate::shape::{ELEMENT_BYTES, MAX_COLUMNS};
use crate::{CodecError, Commitment};

/// Commits to rows. Holds the tables of the setup; build it once and share it.
///
/// A row of `W` elements has the commitment of the EIP-4844 blob that begins with them and is zero from
/// there on. Work is spread over the threads of the current rayon pool: install a pool of your own
/// around a call to bound it.
#[derive(Debug)]
pub struct Committer {
    tables: Tables,
}

#[derive(Debug)]
enum Tables {
    #[cfg(target_arch = "x86_64")]
    Ifma(FixedBase<Ifma>),
    Portable(FixedBase<Portable>),
}

impl Committer {
    /// Builds the tables with the fastest arithmetic that this processor has.
    ///
    /// # Errors
    /// [`CodecError::Setup`].
    pub fn new() -> Result<Self, CodecError> {
        #[cfg(target_arch = "x86_64")]
        if let Some(engine) = Ifma::detect() {
            let tables = FixedBase::new(engine, lagrange_points()?).map_err(|_| UNUSABLE)?;
            return Ok(Self { tables: Tables::Ifma(tables) });
        }
        Self::portable()
    }

    /// Builds the tables with the arithmetic that every processor has, to compare with.
    ///
    /// # Errors
    /// [`CodecError::Setup`].
    pub fn portable() -> Result<Self, CodecError> {
        let tables = FixedBase::new(Portable, lagrange_points()?).map_err(|_| UNUSABLE)?;
        Ok(Self { tables: Tables::Portable(tables) })
    }

    /// The committer of this process, built at the first call.
    ///
    /// # Errors
    /// [`CodecError::Setup`].
    pub fn shared() -> Result<&'static Self, CodecError> {
        static SHARED: OnceLock<Result<Committer, CodecError>> = OnceLock::new();
        SHARED.get_or_init(Self::new).as_ref().map_err(Clone::clone)
    }

    /// What computes the sums.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        match self.tables {
            #[cfg(target_arch = "x86_64")]
            Tables::Ifma(_) => "avx512ifma",
            Tables::Portable(_) => "portable",
        }
    }

    /// The commitment of one row of 1…4096 elements.
    ///
    /// # Errors
    /// [`CodecError::RowLength`], [`CodecError::NonCanonical`].
    pub fn commit(&self, row: &[u8]) -> Result<Commitment, CodecError> {
        let expected = MAX_COLUMNS * ELEMENT_BYTES;
        if row.is_empty() || row.len() > expected || !row.len().is_multiple_of(ELEMENT_BYTES) {
            return Err(CodecError::RowLength { expected, found: row.len() });
        }
        check_canonical(row)?;
        let row = scalars(row);
        Ok(Commitment(self.combine(&[&row])[0].compress()))
    }

    /// The commitments of rows of `row_bytes` each, which are known to be canonical.
    pub(crate) fn commit_rows(&self, rows: &[u8], row_bytes: usize) -> Vec<Commitment> {
        let count = rows.len() / row_bytes;
        let at_once = FixedBase::<Portable>::rows_at_once(row_bytes / ELEMENT_BYTES)
            .min(count.div_ceil(rayon::current_num_threads()))
            .max(1);
        rows.par_chunks(at_once * row_bytes)
            .flat_map_iter(|rows| {
                let rows: Vec<Vec<Scalar>> = rows.chunks_exact(row_bytes).map(scalars).collect();
                let rows: Vec<&[Scalar]> = rows.iter().map(Vec::as_slice).collect();
                self.combine(&rows).into_iter().map(|point| Commitment(point.compress()))
            })
            .collect()
    }

    /// The committed points of rows of at most 4096 elements, on the calling thread.
    pub(crate) fn combine(&self, rows: &[&[Scalar]]) -> Vec<P1> {
        match &self.tables {
            #[cfg(target_arch = "x86_64")]
            Tables::Ifma(tables) => tables.combine(rows),
            Tables::Portable(tables) => tables.combine(rows),
        }
    }
}

const UNUSABLE: CodecError = CodecError::Setup("a point is infinity");

/// The elements of a row that is known to be canonical.
fn scalars(row: &[u8]) -> Vec<Scalar> {
    row.as_chunks().0.iter().map(Scalar::from_bytes_unchecked).collect()
}
