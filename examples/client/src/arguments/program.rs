//! The programs, and the text of `--help`.

/// The help text that both programs share.
const HELP: &str = "\
Connection:
  -h, --host HOST           a name, an IP address, or SCHEME://HOST[:PORT][/PATH] with the scheme
                            mqtt, mqtts, ws or wss; default 127.0.0.1
  -p, --port PORT           default that of the scheme: 1883, 8883, 80 or 443
  -L, --url URL             SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC]; with ws and wss /PATH
  --cafile FILE             TLS, with a server whose certificate is signed by one in FILE (PEM)
  --cert FILE, --key FILE   the client's certificate and private key (PEM)
  -i, --id ID               Client Identifier; if there is none, the server makes one up
  -c, --disable-clean-session
                            go on with the session of this ID; needs -i
  -x SECONDS                MQTT 5: how long the server keeps the session after the connection;
                            default 0, with -c without end, which is -1 too
  -k, --keepalive SECONDS   default 60; 0 turns it off
  -u, --username NAME
  -P, --pw PASSWORD
  -V, --protocol-version V  3.1, 3.1.1 (default; 5 for rr) or 5; also mqttv31, mqttv311, mqttv5
  -D, --property PACKET PROPERTY VALUE
                            MQTT 5: a property of connect, will, publish, subscribe or disconnect,
                            such as message-expiry-interval 60, or user-property NAME VALUE; may
                            be given more than once
  -M, --max-inflight N      messages in flight at once, default 20
  --will-topic TOPIC, --will-payload MESSAGE, --will-qos QOS, --will-retain
  --session FILE            keep the session in FILE from one run to the next; needs -c
                            (not in client_tokio)
  --no-reconnect            end when the connection is lost, instead of connecting again
  --max-pause SECONDS       the longest pause before an attempt to connect again, default 5; the first
                            is a tenth of a second, and each one twice the last until a connection
                            has lasted for six times the longest pause
  -W SECONDS                end after this time, with exit status 27
  -d, --debug               print each packet that is sent or received to standard error

All:
  -t, --topic TOPIC         for sub a filter, also $share/GROUP/FILTER; may be given more than once
  -q, --qos QOS             0 (default), 1 or 2

sub:
  -C COUNT                  end after so many messages
  -E                        end when the subscriptions are acknowledged
  -U, --unsubscribe FILTER  end this subscription after subscribing; may be given more than once
  -v, --verbose             print the topic before each message

rr (a request, which ends with its response):
  -e, --response-topic TOPIC
                            subscribe to TOPIC, publish the message with it as Response Topic, and
                            print the first message with the same Correlation Data
  -v, --verbose             print the topic before the response

pub and rr:
  -m, --message MESSAGE
  -f, --file FILE           the message is what FILE holds
  -l, --stdin-line          each line of standard input is a message (pub)
  -s, --stdin-file          the message is what standard input holds
  -n, --null-message        the message is empty
  -r, --retain
  --repeat N                publish it so many times (pub)

  --help                    print this

A message is given up when 5 connections were lost while it was the first that the server had not
acknowledged. Twenty attempts to connect in a row are the most.

Exit status: 0 if all is done; the return code, or in MQTT 5 the Reason Code, if the server refuses
the connection; 128 if it grants no subscription; 27 if time is up; 64 if the command line cannot be
understood, 65 if the session cannot be, 66 if a file cannot be read or written, 69 if there is no
connection, 70 if a message cannot be sent or is refused, 74 if the output cannot be written, 76 if
the server breaks the protocol.
";

/// One of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a program, not a library")]
pub enum Program {
    /// Blocking, over `std`.
    Client,
    /// On tokio.
    ClientTokio,
}

impl Program {
    /// The synopsis.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::ClientTokio => "client_tokio",
        }
    }

    /// Returns the text of `--help`.
    #[must_use]
    pub fn help(self) -> String {
        let name = self.name();
        let mut help = format!(
            "Publishes and subscribes by MQTT 3.1, 3.1.1 and 5.\n\n\
             Usage:\n  \
             {name} sub -t FILTER... [OPTION...]\n  \
             {name} pub -t TOPIC (-m MESSAGE | -f FILE | -l | -s | -n) [OPTION...]\n  \
             {name} rr -t TOPIC -e RESPONSE_TOPIC (-m MESSAGE | -f FILE | -s | -n) [OPTION...]\n"
        );
        if self == Self::ClientTokio {
            help += "  client_tokio [-t FILTER]... [--publish TOPIC] [OPTION...]\n\n\
                     Without a command it subscribes, prints each message with its topic, and\n\
                     publishes each line of standard input to the TOPIC of --publish; it ends when\n\
                     they are delivered.\n";
        }
        help + "\n" + HELP
    }
}
