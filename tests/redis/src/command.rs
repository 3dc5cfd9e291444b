//! One command to a server, without a client library: tests of a client shouldn't lean on it.

use std::io::{self, BufRead as _, BufReader, Error, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long a server may take to answer; some commands are meant to take long.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// The largest text in a reply that is taken: tests ask for information, not for data.
const TEXT_BYTES_MAX: usize = 16 << 20;

/// Sends a command and answers with its reply as text.
pub(crate) fn send(port: u16, password: Option<&str>, words: &[&str]) -> Result<String, String> {
    let mut connection = Connection::open(port).map_err(|error| error.to_string())?;
    if let Some(password) = password {
        connection.ask(&["AUTH", password]).map_err(|error| error.to_string())??;
    }
    connection.ask(words).map_err(|error| error.to_string())?
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(ANSWER_PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// The outer error is the connection's, the inner one the server's.
    fn ask(&mut self, words: &[&str]) -> io::Result<Result<String, String>> {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.0.get_mut().write_all(request.as_bytes())?;
        self.reply()
    }

    fn reply(&mut self) -> io::Result<Result<String, String>> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let mut letters = line.trim_end().chars();
        let (kind, rest) = (letters.next(), letters.as_str());
        match kind {
            Some('+' | ':') => Ok(Ok(rest.to_owned())),
            Some('-') => Ok(Err(rest.to_owned())),
            Some('$') => self.text(rest).map(Ok),
            Some('*') => self.array(rest),
            _ => Err(Error::other(format!("the connection ended, or this is no reply: {line:?}"))),
        }
    }

    /// Nothing is an empty text.
    fn text(&mut self, length: &str) -> io::Result<String> {
        let Ok(length) = length.parse::<usize>() else { return Ok(String::new()) };
        if length > TEXT_BYTES_MAX {
            return Err(Error::other(format!("a text of {length} bytes")));
        }
        let mut text = vec![0; length + 2];
        self.0.read_exact(&mut text)?;
        text.truncate(length);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn array(&mut self, count: &str) -> io::Result<Result<String, String>> {
        let mut lines = Vec::new();
        for _ in 0..count.parse::<usize>().unwrap_or(0) {
            match self.reply()? {
                Ok(line) => lines.push(line),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(lines.join("\n")))
    }
}
