//! The programs that a test starts. Their output is collected, every wait has a time limit, and
//! they end with the test even if it panics.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The time limit of every wait. It passes only when a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A value that other threads change and that can be awaited.
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

    /// A panic while the lock was held has failed the test. The cleanup still has to run: a second
    /// panic would end this process and leave its programs running.
    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let result = f(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until `f` returns a value. Returns `None` after the time limit.
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

/// The output of a program.
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

/// A running program. It is killed when this is dropped.
pub(crate) struct Process {
    /// Its command.
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

    /// Writes to its standard input. [`succeed`](Self::succeed) notices if it has closed that.
    pub(crate) fn write(&mut self, input: &[u8]) {
        let _ = self.input.as_mut().unwrap().write_all(input);
    }

    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Returns its standard output so far, up to the last complete line.
    pub(crate) fn printed(&self) -> Vec<u8> {
        let mut bytes = self.out.change(|printed| printed.bytes.clone());
        let end = bytes.iter().rposition(|&byte| byte == b'\n');
        bytes.truncate(end.map_or(0, |end| end + 1));
        bytes
    }

    /// Returns its standard error so far, for error messages.
    pub(crate) fn errors(&self) -> String {
        let bytes = self.err.change(|printed| printed.bytes.clone());
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for a line on standard output that starts like this, and returns the rest of it.
    pub(crate) fn wait_for_line(&self, start: &str) -> String {
        self.wait_for_line_in(&self.out, start)
            .unwrap_or_else(|| panic!("{}: no line {start:?}: {}", self.name, self.errors()))
    }

    /// Waits until standard error contains this. Returns false if it ends without.
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

    /// Waits until it exits. Returns its status and its standard output.
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

    /// Waits as [`finish`](Self::finish) does, and checks that the exit status is 0.
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

    /// Kills it with SIGKILL. Returns its standard output.
    pub(crate) fn kill(mut self) -> Vec<u8> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.take_output()
    }

    /// Returns the whole output after the process has ended.
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

/// Runs a program, which must succeed. Returns its output.
pub(crate) fn run(command: &mut Command) -> Vec<u8> {
    Process::start(command).succeed()
}

/// Runs all of these at once, because they mostly wait.
pub(crate) fn at_once<T: Send>(all: impl IntoIterator<Item = T>, f: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for one in all {
            let f = &f;
            scope.spawn(move || f(one));
        }
    });
}
