//! 256-bit arithmetic modulo the order of the group, four 64-bit limbs, least significant first.

/// A number of four limbs.
pub(super) type Limbs = [u64; 4];

/// The modulus `r`. Its highest bit is clear: the sum of two residues fits four limbs.
pub(super) const MODULUS: Limbs =
    [0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48];
/// `-1/r` modulo `2^64`.
const INVERSE: u64 = 0xffff_fffe_ffff_ffff;

/// `a + b·c + carry`, low and high limb; cannot overflow two limbs.
#[inline(always)]
pub(super) const fn multiply_add(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    let wide =
        (b as u128).wrapping_mul(c as u128).wrapping_add(a as u128).wrapping_add(carry as u128);
    (wide as u64, (wide >> 64) as u64)
}

#[inline(always)]
const fn subtract_borrow(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (first, under) = a.overflowing_sub(b);
    let (second, again) = first.overflowing_sub(borrow as u64);
    (second, under | again)
}

/// `a - b` modulo `2^256`, and whether it is negative.
#[inline(always)]
pub(super) const fn subtract(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let (l0, borrow) = subtract_borrow(a[0], b[0], false);
    let (l1, borrow) = subtract_borrow(a[1], b[1], borrow);
    let (l2, borrow) = subtract_borrow(a[2], b[2], borrow);
    let (l3, borrow) = subtract_borrow(a[3], b[3], borrow);
    ([l0, l1, l2, l3], borrow)
}

/// `a + b` modulo `2^256`.
#[inline(always)]
const fn add(a: Limbs, b: Limbs) -> Limbs {
    let s0 = (a[0] as u128).wrapping_add(b[0] as u128);
    let s1 = (a[1] as u128).wrapping_add(b[1] as u128).wrapping_add(s0 >> 64);
    let s2 = (a[2] as u128).wrapping_add(b[2] as u128).wrapping_add(s1 >> 64);
    let s3 = (a[3] as u128).wrapping_add(b[3] as u128).wrapping_add(s2 >> 64);
    [s0 as u64, s1 as u64, s2 as u64, s3 as u64]
}

#[inline(always)]
const fn select(condition: bool, yes: Limbs, no: Limbs) -> Limbs {
    let mask = (condition as u64).wrapping_neg();
    [
        (yes[0] & mask) | (no[0] & !mask),
        (yes[1] & mask) | (no[1] & !mask),
        (yes[2] & mask) | (no[2] & !mask),
        (yes[3] & mask) | (no[3] & !mask),
    ]
}

/// A number below `2r` as a residue.
#[inline(always)]
pub(super) const fn reduce_once(a: Limbs) -> Limbs {
    let (difference, negative) = subtract(a, MODULUS);
    select(negative, a, difference)
}

/// Sum of two residues.
#[inline(always)]
pub(super) const fn add_residues(a: Limbs, b: Limbs) -> Limbs {
    reduce_once(add(a, b))
}

/// Difference of two residues.
#[inline(always)]
pub(super) const fn subtract_residues(a: Limbs, b: Limbs) -> Limbs {
    let (difference, negative) = subtract(a, b);
    add(difference, select(negative, MODULUS, [0; 4]))
}

/// Montgomery product `a·b / 2^256`, a residue if one of the two is and the other is below
/// `2^256`. Because the modulus leaves the top bit free, the running sum never needs a sixth limb.
#[inline(always)]
pub(super) const fn montgomery(a: Limbs, b: Limbs) -> Limbs {
    let mut t = [0u64; 4];
    let mut i = 0;
    while i < 4 {
        let (t0, carry) = multiply_add(t[0], a[0], b[i], 0);
        let m = t0.wrapping_mul(INVERSE);
        let (_, reduced) = multiply_add(t0, m, MODULUS[0], 0);
        let (t1, carry) = multiply_add(t[1], a[1], b[i], carry);
        let (r0, reduced) = multiply_add(t1, m, MODULUS[1], reduced);
        let (t2, carry) = multiply_add(t[2], a[2], b[i], carry);
        let (r1, reduced) = multiply_add(t2, m, MODULUS[2], reduced);
        let (t3, carry) = multiply_add(t[3], a[3], b[i], carry);
        let (r2, reduced) = multiply_add(t3, m, MODULUS[3], reduced);
        t = [r0, r1, r2, carry.wrapping_add(reduced)];
        i += 1;
    }
    reduce_once(t)
}
