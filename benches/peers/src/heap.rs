//! Counts heap allocations, but only on request: counting takes time, which would be added to that
//! of the libraries that allocate.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

static WANTED: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);

fn count(calls: u64, bytes: i64) {
    if WANTED.load(Relaxed) {
        CALLS.fetch_add(calls, Relaxed);
        BYTES.fetch_add(bytes, Relaxed);
    }
}

fn size(layout: Layout) -> i64 {
    layout.size() as i64
}

// SAFETY: `System` does everything, with unchanged arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, size(layout));
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, size(layout));
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(1, new_size as i64 - size(layout));
        unsafe { System.realloc(block, layout, new_size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, -size(layout));
        unsafe { System.dealloc(block, layout) }
    }
}

/// The heap use of an action.
pub struct Asked {
    /// How often it allocated.
    pub calls: u64,
    /// How many more bytes it holds than before.
    pub bytes: i64,
}

pub fn measure(action: impl FnOnce()) -> Asked {
    CALLS.store(0, Relaxed);
    BYTES.store(0, Relaxed);
    WANTED.store(true, Relaxed);
    action();
    WANTED.store(false, Relaxed);
    Asked {
        calls: CALLS.load(Relaxed),
        bytes: BYTES.load(Relaxed),
    }
}
