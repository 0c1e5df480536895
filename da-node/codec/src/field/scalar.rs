//! Elements of the matrix: plain residues, as they stand on the wire.

use super::arithmetic::{
    Limbs, MODULUS, add_residues, montgomery, reduce_once, subtract, subtract_residues,
};
use super::factor::Factor;
use crate::shape::ELEMENT_BYTES;
use crate::{CodecError, ColumnIndex};

/// An integer below the modulus, not in Montgomery form: elements are only ever added, and
/// multiplied by [`Factor`]s, which are, so that no element is converted on its way through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(transparent)]
pub(crate) struct Scalar(pub(super) Limbs);

impl Scalar {
    pub(crate) const ZERO: Self = Self([0; 4]);
    /// Bits of the largest value.
    pub(crate) const BITS: usize = 255;

    /// Reads 32 bytes, big-endian; `None` if they are not below the modulus.
    #[inline]
    pub(crate) fn from_bytes(bytes: &[u8; ELEMENT_BYTES]) -> Option<Self> {
        let scalar = Self::from_bytes_unchecked(bytes);
        subtract(scalar.0, MODULUS).1.then_some(scalar)
    }

    /// The same for bytes that were checked before.
    #[inline]
    pub(crate) fn from_bytes_unchecked(bytes: &[u8; ELEMENT_BYTES]) -> Self {
        let (limbs, _) = bytes.as_chunks::<8>();
        Self([3, 2, 1, 0].map(|limb: usize| u64::from_be_bytes(limbs[limb])))
    }

    /// 32 bytes, big-endian.
    #[inline]
    pub(crate) fn to_bytes(self) -> [u8; ELEMENT_BYTES] {
        let mut bytes = [0; ELEMENT_BYTES];
        let (limbs, _) = bytes.as_chunks_mut::<8>();
        for (place, limb) in limbs.iter_mut().zip(self.0.iter().rev()) {
            *place = limb.to_be_bytes();
        }
        bytes
    }

    /// Limbs, least significant first.
    pub(crate) const fn limbs(self) -> [u64; 4] {
        self.0
    }

    /// 128 bits.
    pub(crate) const fn from_u128(value: u128) -> Self {
        Self([value as u64, (value >> 64) as u64, 0, 0])
    }

    /// A sum of products, seven limbs.
    pub(crate) fn from_wide(wide: [u64; 7]) -> Self {
        let [a, b, c, d, e, f, g] = wide;
        // The low part is below 3r.
        let low = reduce_once(reduce_once([a, b, c, d]));
        let high = Self([e, f, g, 0]).times(Factor::TWO_256);
        Self(low).plus(high)
    }

    #[inline(always)]
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self(add_residues(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) const fn minus(self, other: Self) -> Self {
        Self(subtract_residues(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) const fn times(self, factor: Factor) -> Self {
        Self(montgomery(factor.0, self.0))
    }

    /// The same number as a factor.
    pub(crate) const fn to_factor(self) -> Factor {
        Factor(montgomery(Factor::TWO_256.0, self.0))
    }
}

/// Whether all elements of a row are below the modulus.
///
/// # Errors
/// [`CodecError::NonCanonical`] with the first that is not.
pub(crate) fn check_canonical(row: &[u8]) -> Result<(), CodecError> {
    let (elements, _) = row.as_chunks::<ELEMENT_BYTES>();
    match elements.iter().position(|element| Scalar::from_bytes(element).is_none()) {
        None => Ok(()),
        Some(column) => Err(CodecError::NonCanonical { column: ColumnIndex::at(column) }),
    }
}
