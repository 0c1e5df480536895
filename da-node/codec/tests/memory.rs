#![allow(unsafe_code)]
//! What the codec takes of the heap at its peak: a process of its own, since its allocator counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use cairn_da_codec::{CodecError, Committer, EncodedMatrix, RowIndex, recover_payload};

/// Bytes allocated now, and the most that ever were.
struct Counting {
    now: AtomicUsize,
    peak: AtomicUsize,
}

#[global_allocator]
static HEAP: Counting = Counting { now: AtomicUsize::new(0), peak: AtomicUsize::new(0) };

impl Counting {
    fn add(&self, bytes: usize) {
        let now = self.now.fetch_add(bytes, Ordering::SeqCst) + bytes;
        self.peak.fetch_max(now, Ordering::SeqCst);
    }
}

// SAFETY: every call is the system allocator's, with what it was given. Growing is left to the default, which
// allocates anew and copies: for that time both count, as they do wherever a block cannot grow in place.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.now.fetch_sub(layout.size(), Ordering::SeqCst);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

const LENGTH: usize = 8 << 20;
/// Times the payload that may be on the heap, the payload included.
const MOST: usize = 6;

/// The most on the heap while something is done, less what was there before.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HEAP.now.load(Ordering::SeqCst);
    HEAP.peak.store(before, Ordering::SeqCst);
    let done = work();
    (done, HEAP.peak.load(Ordering::SeqCst) - before)
}

// One test, since what others allocate would count.
#[test]
fn encoding_and_recovery_hold_six_times_the_payload_at_most() -> Result<(), CodecError> {
    let committer = Committer::shared()?;
    let (encoded, encoding) = peak(|| {
        let payload: Vec<u8> = (0..LENGTH).map(|at| (at * 7 + at / 251) as u8).collect();
        let matrix = EncodedMatrix::encode(committer, &payload, 64);
        matrix.map(|matrix| (matrix, payload))
    });
    let (matrix, payload) = encoded?;
    println!("encoding: {:.2} times the payload", encoding as f64 / LENGTH as f64);
    // Payload and extended rows are on the heap at the end: less would mean that nothing was counted.
    assert!(encoding >= 5 * LENGTH, "{encoding} bytes");
    assert!(encoding <= MOST * LENGTH, "{encoding} bytes");

    let shape = matrix.shape();
    let rows: Vec<_> = (0..).map(RowIndex).zip(matrix.rows()).collect();
    let parity = &rows[rows.len() - shape.rows()..];
    let (recovered, recovery) = peak(|| recover_payload(shape, LENGTH, parity));
    // The rows that it starts from are there already.
    let recovery = recovery + parity.iter().map(|(_, row)| row.len()).sum::<usize>();
    println!("recovery: {:.2} times the payload", recovery as f64 / LENGTH as f64);
    assert!(recovered? == payload, "another payload");
    assert!(recovery >= 2 * LENGTH, "{recovery} bytes");
    assert!(recovery <= MOST * LENGTH, "{recovery} bytes");
    Ok(())
}
