//! How much a tracer may record.

/// Bytes that are left to record.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    left: usize,
    full: bool,
}

impl Budget {
    /// A budget of `bytes`.
    pub const fn new(bytes: usize) -> Self {
        Self { left: bytes, full: false }
    }

    /// Takes `bytes`; `false` when they exceed what is left.
    pub const fn take(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) if !self.full => {
                self.left = left;
                true
            }
            _ => {
                self.full = true;
                false
            }
        }
    }

    /// Bytes left.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Whether more was wanted than was left.
    pub const fn is_full(&self) -> bool {
        self.full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_was_exceeded_once_gives_nothing_more() {
        let mut budget = Budget::new(10);
        assert!(budget.take(4));
        assert!(!budget.take(7));
        assert!(!budget.take(1));
        assert!(budget.is_full());
        assert_eq!(budget.left(), 6);
    }
}
