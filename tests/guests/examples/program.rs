//! A program, as it would be written for any machine: it knows nothing of jobs.

use std::io::{Read as _, Write as _};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).expect("text on standard input");
    let mut out = std::io::stdout();
    match arguments.first().map(String::as_str) {
        Some("shout") => write!(out, "{}", input.to_uppercase()).expect("room for the result"),
        Some("greet") => {
            let greeting = std::env::var("GREETING").unwrap_or_else(|_| "hello".to_owned());
            write!(out, "{greeting} {}", arguments[1..].join(" ")).expect("room for the result");
        }
        Some("fail") => {
            write!(out, "half of it").expect("room for the result");
            eprintln!("the other half is missing");
            std::process::exit(3);
        }
        Some("flood") => loop {
            out.write_all(&[b'x'; 4096]).expect("room for the result");
        },
        Some("panic") => panic!("out of cheese"),
        _ => {}
    }
}
