//! Both our clients, in every version, with our broker and with mosquitto.

use std::process::Command;

use crate::installed::{Server, at, lines, numbers, program};
use crate::process::{self, Process};

fn command(name: &str, what: &str, port: u16, arguments: &[&str]) -> Command {
    let mut command = program(name);
    command.arg(what).args(at(port)).args(arguments);
    command
}

fn speak_every_version(server: &Server) {
    for name in ["client", "client_tokio"] {
        for version in ["3.1", "3.1.1", "5"] {
            for qos in ["1", "2"] {
                let run = |what, arguments: &[&str]| {
                    let mut command = command(name, what, server.port(), arguments);
                    command.args(["-V", version, "-q", qos]);
                    Process::start(&mut command)
                };
                // A session keeps messages, first for a client that has only subscribed.
                let id = format!("{name}-{version}-{qos}");
                let session = ["-i", &id, "-c", "-t", "to/+"];
                run("sub", &[&session[..], &["-E"]].concat()).succeed();
                let sent = numbers(50);
                let mut publisher = run("pub", &["-t", "to/you", "-l", "-M", "5"]);
                publisher.write((sent.join("\n") + "\n").as_bytes());
                publisher.succeed();
                let received = run("sub", &[&session[..], &["-C", "50"]].concat()).succeed();
                assert_eq!(lines(&received), sent, "{id}");
                run("sub", &[&session[..], &["-U", "to/+", "-E"]].concat()).succeed();

                // The client answers itself.
                let request = ["-t", "ask", "-e", "ask", "-m", "yes", "-v", "-W", "20"];
                assert_eq!(lines(&run("rr", &request).succeed()), ["ask yes"], "{id}");
            }
        }
    }
}

#[test]
fn our_clients_speak_every_version_with_our_broker() {
    speak_every_version(&Server::ours(&[]));
}

#[test]
fn our_clients_speak_every_version_with_mosquitto() {
    if let Some(mosquitto) = Server::mosquitto(false) {
        speak_every_version(&mosquitto);
    }
}

/// With the wrong password, each program ends with the return code or the Reason Code.
#[test]
fn a_refusal_of_our_broker_is_the_exit_status_in_every_version() {
    let broker = Server::ours(&["--user", "ours", "--password", "secret"]);
    for name in ["client", "client_tokio"] {
        for (version, status) in [("3.1", 4), ("3.1.1", 4), ("5", 0x86)] {
            let arguments = ["-V", version, "-t", "a", "-u", "ours", "-P"];
            let right = [&arguments[..], &["secret", "-n"]].concat();
            process::run(&mut command(name, "pub", broker.port(), &right));
            let wrong = [&arguments[..], &["guess", "-n"]].concat();
            let process = Process::start(&mut command(name, "pub", broker.port(), &wrong));
            let (ended, _) = process.finish();
            assert_eq!(ended.code(), Some(status), "{name} {version}");
        }
    }
}
