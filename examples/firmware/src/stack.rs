//! The depth of the stack. The startup code of `cortex-m-rt` fills the memory of the stack with a
//! pattern; used memory has other values.

/// Returns the most bytes of stack that were in use at any time, including those of `main`.
#[cfg(target_arch = "arm")]
#[expect(
    unsafe_code,
    reason = "no object owns the memory below the stack, so safe code cannot read it"
)]
pub fn deepest() -> usize {
    use cortex_m_rt::STACK_PAINT_VALUE;

    unsafe extern "C" {
        static _stack_start: u32;
        static _stack_end: u32;
    }
    let (top, end) = (&raw const _stack_start, &raw const _stack_end);
    let mut lowest = end;
    // SAFETY: these are symbols of the linker script, four bytes aligned, with memory between them,
    // and only that memory is read.
    while lowest < top && unsafe { lowest.read_volatile() } == STACK_PAINT_VALUE {
        lowest = lowest.wrapping_add(1);
    }
    top.addr() - lowest.addr()
}

/// Nothing fills the stack here.
#[cfg(not(target_arch = "arm"))]
pub fn deepest() -> usize {
    0
}
