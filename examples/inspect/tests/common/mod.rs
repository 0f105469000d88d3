//! Runs `inspect`.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;

/// Runs `inspect` with these arguments and this standard input.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut inspect = Command::new(env!("CARGO_BIN_EXE_inspect"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = inspect.stdin.take().unwrap();
    thread::scope(|scope| {
        // It may not read all of the input.
        scope.spawn(move || stdin.write_all(input));
        inspect.wait_with_output().unwrap()
    })
}
