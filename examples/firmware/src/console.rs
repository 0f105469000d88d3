//! Text and numbers to the debugger's console, without `core::fmt`.

use semihosting::sys::arm_compat::sys_writec;

/// Prints text.
pub fn print(text: &str) {
    text.bytes().for_each(sys_writec);
}

/// Prints a number in decimal.
pub fn print_number(number: usize) {
    let mut digits = [0; 20];
    let mut rest = number;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    let unused = digits.len() - used;
    digits.iter().skip(unused).copied().for_each(sys_writec);
}

/// Prints a line that says how many of something there are.
pub fn print_count(name: &str, count: usize) {
    print(name);
    print(" ");
    print_number(count);
    print("\n");
}
