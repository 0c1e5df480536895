//! Arithmetic modulo `p = 2^256 - 2^32 - 977` in eight lanes.
//!
//! A number is five limbs of 52 bits. Two forms occur:
//! - *tidy*: every limb is below `2^52`, hence the number below `16·2^256`. Every function takes tidy numbers;
//!   the multipliers would ignore higher bits.
//! - *reduced*: tidy, the highest limb is at most `2^48`, hence the number below `2^256 + 2^208`. Products are
//!   reduced. What is subtracted has to be a sum of so many reduced numbers as the function says, since the
//!   multiple of `p` that is added must not be below it in any limb: limb by limb, `(k + 1)·p` exceeds the sum of
//!   `k` reduced numbers for `k` up to 15.
//!
//! Since `2^260 = 16·2^256` is `16·(2^32 + 977)` modulo `p`, the higher half of a product folds onto the
//! lower one by ten multiplications with a constant of 37 bits.

use super::vector::{Mask, Vector};

/// Bits of a limb.
const MASK: u64 = (1 << 52) - 1;
/// Bits of the highest limb of a number of 256 bits.
const HIGHEST: u64 = (1 << 48) - 1;
/// `2^256 - p`.
const COMPLEMENT: u64 = 0x1_0000_03d1;
/// The modulus.
pub(crate) const MODULUS: [u64; 5] = [(1 << 52) - COMPLEMENT, MASK, MASK, MASK, HIGHEST];

/// Five expressions in the number of a limb. Spelled out, because a loop over an array of vectors that
/// the compiler does not unroll early enough keeps the array in memory.
macro_rules! limbs {
    ($i:ident => $limb:expr) => {
        [limbs!(@ $i 0 $limb), limbs!(@ $i 1 $limb), limbs!(@ $i 2 $limb), limbs!(@ $i 3 $limb), limbs!(@ $i 4 $limb)]
    };
    (@ $i:ident $value:literal $limb:expr) => {{
        const $i: usize = $value;
        $limb
    }};
}

/// A number in each lane: vector `i` holds limb `i`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<V>(pub(crate) [V; 5]);

/// A sum that is yet to be carried: limbs below `2^60`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loose<V>([V; 5]);

/// A product that is yet to be reduced: columns below `2^58`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wide<V>([V; 10]);

impl<V: Vector> Field<V> {
    /// The same number below `2^52` in all lanes.
    #[inline(always)]
    pub(crate) fn small(number: u64) -> Self {
        let zero = V::splat(0);
        Self([V::splat(number), zero, zero, zero, zero])
    }

    /// Four limbs of 64 bits cut into five of 52.
    #[inline(always)]
    pub(crate) fn cut([a, b, c, d]: [V; 4]) -> Self {
        let mask = V::splat(MASK);
        Self([
            a.and(mask),
            a.right::<52>().or(b.left::<12>()).and(mask),
            b.right::<40>().or(c.left::<24>()).and(mask),
            c.right::<28>().or(d.left::<36>()).and(mask),
            d.right::<16>(),
        ])
    }

    /// The inverse of [`cut`](Self::cut), of numbers of 256 bits.
    #[inline(always)]
    pub(crate) fn join(&self) -> [V; 4] {
        let [a, b, c, d, e] = self.0;
        [
            a.or(b.left::<52>()),
            b.right::<12>().or(c.left::<40>()),
            c.right::<24>().or(d.left::<28>()),
            d.right::<36>().or(e.left::<16>()),
        ]
    }

    /// `yes` in the lanes of the mask, `no` in the others.
    #[inline(always)]
    pub(crate) fn select(mask: Mask, yes: &Self, no: &Self) -> Self {
        Self(limbs!(I => V::select(mask, yes.0[I], no.0[I])))
    }

    /// `a`, to be added to.
    #[inline(always)]
    pub(crate) fn loose(&self) -> Loose<V> {
        Loose(self.0)
    }

    /// `a·b`, not reduced.
    #[inline(always)]
    pub(crate) fn wide(&self, b: &Self) -> Wide<V> {
        let c = Wide([V::splat(0); 10]);
        let c = c.row::<0>(&self.0, b.0[0]);
        let c = c.row::<1>(&self.0, b.0[1]);
        let c = c.row::<2>(&self.0, b.0[2]);
        let c = c.row::<3>(&self.0, b.0[3]);
        c.row::<4>(&self.0, b.0[4])
    }

    /// `a²`, not reduced: the products of different limbs once, doubled.
    #[inline(always)]
    pub(crate) fn wide_square(&self) -> Wide<V> {
        let [a0, a1, a2, a3, a4] = self.0;
        let zero = V::splat(0);
        let c1 = zero.add_low(a0, a1);
        let c2 = zero.add_low(a0, a2).add_high(a0, a1);
        let c3 = zero.add_low(a0, a3).add_high(a0, a2).add_low(a1, a2);
        let c4 = zero.add_low(a0, a4).add_high(a0, a3).add_low(a1, a3).add_high(a1, a2);
        let c5 = zero.add_high(a0, a4).add_low(a1, a4).add_high(a1, a3).add_low(a2, a3);
        let c6 = zero.add_high(a1, a4).add_low(a2, a4).add_high(a2, a3);
        let c7 = zero.add_high(a2, a4).add_low(a3, a4);
        let c8 = zero.add_high(a3, a4);
        Wide([
            zero.add_low(a0, a0),
            c1.add(c1).add_high(a0, a0),
            c2.add(c2).add_low(a1, a1),
            c3.add(c3).add_high(a1, a1),
            c4.add(c4).add_low(a2, a2),
            c5.add(c5).add_high(a2, a2),
            c6.add(c6).add_low(a3, a3),
            c7.add(c7).add_high(a3, a3),
            c8.add(c8).add_low(a4, a4),
            zero.add_high(a4, a4),
        ])
    }

    /// `a·b`, reduced.
    #[inline(always)]
    pub(crate) fn times(&self, b: &Self) -> Self {
        self.wide(b).reduced()
    }

    /// `a²`, reduced.
    #[inline(always)]
    pub(crate) fn squared(&self) -> Self {
        self.wide_square().reduced()
    }

    /// `-a` of a reduced number, tidy.
    #[inline(always)]
    pub(crate) fn negated(&self) -> Self {
        Loose::modulus(2).minus(self).tidy()
    }

    /// The residue below `p`.
    #[inline(always)]
    pub(crate) fn canonical(&self) -> Self {
        let [a0, a1, a2, a3, a4] = self.0;
        let excess = a4.right::<48>();
        let a4 = a4.and(V::splat(HIGHEST));
        let a0 = a0.add_low(excess, V::splat(COMPLEMENT));
        // Below 2^256 + 2^37, so that one subtraction is enough: the number is not below `p` just if adding
        // the complement of `p` fills bit 256.
        let a = Loose([a0, a1, a2, a3, a4]).tidy();
        let mut raised = a.loose();
        raised.0[0] = raised.0[0].add(V::splat(COMPLEMENT));
        let Self([b0, b1, b2, b3, b4]) = raised.tidy();
        let below = b4.right::<48>().zeros();
        let lowered = Self([b0, b1, b2, b3, b4.and(V::splat(HIGHEST))]);
        Self::select(below, &a, &lowered)
    }

    /// The lanes where the number is a multiple of `p`.
    #[inline(always)]
    pub(crate) fn zeros(&self) -> Mask {
        let Self([a, b, c, d, e]) = self.canonical();
        a.or(b).or(c).or(d).or(e).zeros()
    }
}

impl<V: Vector> Loose<V> {
    /// `multiple·p`, limb by limb.
    #[inline(always)]
    pub(crate) fn modulus(multiple: u64) -> Self {
        Self(limbs!(I => V::splat(MODULUS[I].wrapping_mul(multiple))))
    }

    #[inline(always)]
    pub(crate) fn plus(&self, b: &Field<V>) -> Self {
        Self(limbs!(I => self.0[I].add(b.0[I])))
    }

    /// No limb of `b` is above that of this.
    #[inline(always)]
    pub(crate) fn minus(&self, b: &Field<V>) -> Self {
        Self(limbs!(I => self.0[I].sub(b.0[I])))
    }

    /// Subtracts `b·2^SHIFT`, which is above this in no limb.
    #[inline(always)]
    pub(crate) fn minus_shifted<const SHIFT: u32>(&self, b: &Field<V>) -> Self {
        Self(limbs!(I => self.0[I].sub(b.0[I].left::<SHIFT>())))
    }

    /// Adds `b·2^SHIFT`.
    #[inline(always)]
    pub(crate) fn plus_shifted<const SHIFT: u32>(&self, b: &Field<V>) -> Self {
        Self(limbs!(I => self.0[I].add(b.0[I].left::<SHIFT>())))
    }

    /// Carries; the number is below `2^260`.
    #[inline(always)]
    pub(crate) fn tidy(&self) -> Field<V> {
        let mask = V::splat(MASK);
        let [a0, a1, a2, a3, a4] = self.0;
        let a1 = a1.add(a0.right::<52>());
        let a2 = a2.add(a1.right::<52>());
        let a3 = a3.add(a2.right::<52>());
        let a4 = a4.add(a3.right::<52>());
        Field([a0.and(mask), a1.and(mask), a2.and(mask), a3.and(mask), a4])
    }
}

impl<V: Vector> Wide<V> {
    /// Adds `a·limb·2^(52·I)`: no column grows by more than two words of 52 bits.
    #[inline(always)]
    fn row<const I: usize>(self, a: &[V; 5], limb: V) -> Self {
        let mut c = self.0;
        c[I] = c[I].add_low(a[0], limb);
        c[I + 1] = c[I + 1].add_low(a[1], limb).add_high(a[0], limb);
        c[I + 2] = c[I + 2].add_low(a[2], limb).add_high(a[1], limb);
        c[I + 3] = c[I + 3].add_low(a[3], limb).add_high(a[2], limb);
        c[I + 4] = c[I + 4].add_low(a[4], limb).add_high(a[3], limb);
        c[I + 5] = c[I + 5].add_high(a[4], limb);
        Self(c)
    }

    /// Adds a second product onto this one.
    #[inline(always)]
    pub(crate) fn plus_product(self, a: &Field<V>, b: &Field<V>) -> Self {
        let c = self.row::<0>(&a.0, b.0[0]);
        let c = c.row::<1>(&a.0, b.0[1]);
        let c = c.row::<2>(&a.0, b.0[2]);
        let c = c.row::<3>(&a.0, b.0[3]);
        c.row::<4>(&a.0, b.0[4])
    }

    #[inline(always)]
    pub(crate) fn plus(self, addend: &Loose<V>) -> Self {
        let [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9] = self.0;
        let [a0, a1, a2, a3, a4] = addend.0;
        Self([c0.add(a0), c1.add(a1), c2.add(a2), c3.add(a3), c4.add(a4), c5, c6, c7, c8, c9])
    }

    /// The reduced number of the same residue. The whole is below `2^520`: so is the product of two tidy
    /// numbers, and with anything added the product of a reduced and a tidy one.
    #[inline(always)]
    pub(crate) fn reduced(self) -> Field<V> {
        let fold = V::splat(COMPLEMENT << 4);
        let [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9] = self.0;
        // The multipliers take the low 52 bits, the rest is carried before.
        let c6 = c6.add(c5.right::<52>());
        let c7 = c7.add(c6.right::<52>());
        let c8 = c8.add(c7.right::<52>());
        let c9 = c9.add(c8.right::<52>());
        let above = V::splat(0).add_high(c9, fold);
        let r0 = c0.add_low(c5, fold).add_low(above, fold);
        let r1 = c1.add_high(c5, fold).add_low(c6, fold).add_high(above, fold);
        let r2 = c2.add_high(c6, fold).add_low(c7, fold);
        let r3 = c3.add_high(c7, fold).add_low(c8, fold);
        let r4 = c4.add_high(c8, fold).add_low(c9, fold);
        // What is above 2^256 is folded before the carries run, so that they leave limbs below 2^52.
        let mask = V::splat(MASK);
        let r4 = r4.add(r3.right::<52>());
        let r3 = r3.and(mask);
        let r0 = r0.add_low(r4.right::<48>(), V::splat(COMPLEMENT));
        let r4 = r4.and(V::splat(HIGHEST));
        Loose([r0, r1, r2, r3, r4]).tidy()
    }
}
