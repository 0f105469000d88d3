//! Programs that a test starts: what they print is gathered, every wait ends, and they end with
//! the test even if it panics.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take. It is only ever waited for in full when a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A value that other threads change, to be waited for.
pub(crate) struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            changed: Condvar::new(),
        }
    }

    /// Whoever panicked with it has made the test fail, and everything is still to be cleaned up: a
    /// second panic would end this program and leave all that it has started.
    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let result = f(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until `f` finds what it looks for. `None` if it has not by then.
    pub(crate) fn wait<R>(&self, f: impl Fn(&T) -> Option<R>) -> Option<R> {
        let deadline = Instant::now() + PATIENCE;
        let mut value = self.lock();
        loop {
            if let Some(found) = f(&value) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            let woken = self.changed.wait_timeout(value, left);
            value = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// What a program prints.
#[derive(Default)]
struct Printed {
    bytes: Vec<u8>,
    is_over: bool,
}

fn gather(mut from: impl Read + Send + 'static) -> Arc<Watched<Printed>> {
    let printed = Arc::new(Watched::new(Printed::default()));
    let shared = Arc::clone(&printed);
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(len @ 1..) = from.read(&mut buffer) {
            shared.change(|printed| printed.bytes.extend(&buffer[..len]));
        }
        shared.change(|printed| printed.is_over = true);
    });
    printed
}

/// A program that runs. It is killed when this is dropped.
pub(crate) struct Process {
    /// What it was started as.
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    out: Arc<Watched<Printed>>,
    err: Arc<Watched<Printed>>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let name = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        Self {
            name,
            out: gather(child.stdout.take().unwrap()),
            err: gather(child.stderr.take().unwrap()),
            input: child.stdin.take(),
            child,
        }
    }

    /// Gives it something to read. That it reads no more is for [`succeed`](Self::succeed) to find.
    pub(crate) fn write(&mut self, input: &[u8]) {
        let _ = self.input.as_mut().unwrap().write_all(input);
    }

    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// What it has printed to standard output so far, up to the last whole line.
    pub(crate) fn printed(&self) -> Vec<u8> {
        let mut bytes = self.out.change(|printed| printed.bytes.clone());
        let end = bytes.iter().rposition(|&byte| byte == b'\n');
        bytes.truncate(end.map_or(0, |end| end + 1));
        bytes
    }

    /// What it has printed to standard error so far, for messages.
    pub(crate) fn errors(&self) -> String {
        let bytes = self.err.change(|printed| printed.bytes.clone());
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for a line on standard output that starts like this, and returns the rest of it.
    pub(crate) fn wait_for_line(&self, start: &str) -> String {
        self.wait_for_line_in(&self.out, start)
            .unwrap_or_else(|| panic!("{}: no line {start:?}: {}", self.name, self.errors()))
    }

    /// Waits for standard error to hold this. False if it ends without.
    pub(crate) fn wait_for_error(&self, part: &str) -> bool {
        let found = self.err.wait(|printed| {
            let found = String::from_utf8_lossy(&printed.bytes).contains(part);
            (found || printed.is_over).then_some(found)
        });
        found.unwrap_or(false)
    }

    fn wait_for_line_in(&self, printed: &Watched<Printed>, start: &str) -> Option<String> {
        let found = printed.wait(|printed| {
            let text = String::from_utf8_lossy(&printed.bytes);
            let mut lines = text
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'));
            let line = lines.find_map(|line| line.strip_prefix(start));
            let line = line.map(|line| line.trim_end().to_owned());
            (line.is_some() || printed.is_over).then_some(line)
        });
        found.flatten()
    }

    /// Waits for this many lines on standard output.
    pub(crate) fn wait_for_lines(&self, count: usize) {
        let found = self.out.wait(|printed| {
            let lines = printed.bytes.iter().filter(|&&byte| byte == b'\n').count();
            (lines >= count).then_some(())
        });
        assert!(found.is_some(), "{}: not {count} lines", self.name);
    }

    /// Waits for it to end. Returns how, and what it has printed to standard output.
    pub(crate) fn finish(mut self) -> (ExitStatus, Vec<u8>) {
        self.end_input();
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "{} does not end: {}\nprinted: {}",
                self.name,
                self.errors(),
                String::from_utf8_lossy(&self.out.change(|printed| printed.bytes.clone()))
            );
            thread::sleep(Duration::from_millis(5));
        };
        (status, self.take_output())
    }

    /// As [`finish`](Self::finish), with an exit status of 0.
    pub(crate) fn succeed(mut self) -> Vec<u8> {
        self.end_input();
        let name = self.name.clone();
        let err = Arc::clone(&self.err);
        let (status, out) = self.finish();
        assert!(
            status.success(),
            "{name}: {status}\nprinted: {}\n{}",
            String::from_utf8_lossy(&out),
            String::from_utf8_lossy(&err.change(|printed| printed.bytes.clone())),
        );
        out
    }

    /// Ends it by SIGKILL, which it cannot notice. Returns what it has printed to standard output.
    pub(crate) fn kill(mut self) -> Vec<u8> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.take_output()
    }

    /// All of it, now that the process has ended.
    fn take_output(&self) -> Vec<u8> {
        self.out
            .wait(|printed| printed.is_over.then(|| printed.bytes.clone()))
            .unwrap_or_else(|| panic!("{}: someone else holds its standard output", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end, which is to be a good one. Returns what it has printed.
pub(crate) fn run(command: &mut Command) -> Vec<u8> {
    Process::start(command).succeed()
}

/// Does the same with all of these at once, since most of the time goes into waiting.
pub(crate) fn at_once<T: Send>(all: impl IntoIterator<Item = T>, f: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for one in all {
            let f = &f;
            scope.spawn(move || f(one));
        }
    });
}
