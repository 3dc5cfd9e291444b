//! What the documentation says of the command line, held to it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};

use crate::cli::Cli;

/// Set to have the page of commands written anew.
const UPDATE: &str = "GRISTMILL_UPDATE_DOCS";
/// Characters in a line of help.
const WIDTH: usize = 100;
const HEAD: &str = "\
# Commands

What each command says of itself with `--help`; this page is made of that. Every flag is also an environment
variable, `GRISTMILL_` and its name in capitals. stdout carries the result and nothing else.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A heading and the help of a command and of all below it.
fn describe(command: &mut Command, path: &str, page: &mut String) {
    let path = format!("{path}{}", command.get_name());
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    page.push_str(&format!("\n## {path}\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
    for inner in command.get_subcommands_mut().filter(|inner| !inner.is_hide_set()) {
        describe(inner, &format!("{path} "), page);
    }
}

#[test]
fn the_page_of_commands_says_what_the_program_says() {
    let mut cli = Cli::command().term_width(WIDTH);
    cli.build();
    let mut page = HEAD.to_owned();
    describe(&mut cli, "", &mut page);
    let path = root().join("docs/commands.md");
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(written == page, "docs/commands.md isn't up to date: run the tests with {UPDATE}=1");
}

/// A fence of a page: what it says that it is, where it begins, and what is in it.
struct Fence {
    place: String,
    kind: String,
    text: String,
}

/// The fences of the book and of the pages beside it.
fn fences() -> Vec<Fence> {
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let mut pages: Vec<PathBuf> = docs.map(|entry| entry.unwrap().path()).collect();
    pages.push(root().join("README.md"));
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    let mut fences = Vec::new();
    for page in pages {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        let mut open: Option<Fence> = None;
        for (at, line) in fs::read_to_string(&page).unwrap().lines().enumerate() {
            match (line.trim_start().strip_prefix("```"), open.take()) {
                (Some(_), Some(fence)) => fences.push(fence),
                (Some(kind), None) => {
                    let place = format!("{name}:{}", at + 2);
                    open = Some(Fence { place, kind: kind.to_owned(), text: String::new() });
                }
                (None, Some(mut fence)) => {
                    fence.text.push_str(line);
                    fence.text.push('\n');
                    open = Some(fence);
                }
                (None, None) => {}
            }
        }
    }
    fences
}

/// The command lines of `gristmill` in what a shell is given, whole and without what goes into them
/// and comes out.
fn command_lines(fence: &Fence) -> Vec<String> {
    let given = fence.text.replace("\\\n", " ");
    let lines = given.lines().filter_map(|line| match fence.kind.as_str() {
        "sh" => Some(line),
        "console" => line.strip_prefix("$ "),
        _ => None,
    });
    let commands = lines.flat_map(parts).filter(|part| part.starts_with("gristmill "));
    commands.collect()
}

/// The parts of a line between pipes and the like, which mean nothing in quotes.
fn parts(line: &str) -> Vec<String> {
    let (mut parts, mut quote, mut last) = (vec![String::new()], None, ' ');
    for c in line.chars() {
        match (quote, c) {
            (None, '#') if last == ' ' => break,
            (None, '|' | '>' | '<' | ';' | '&') => parts.push(String::new()),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        if !matches!((quote, c), (None, '|' | '>' | '<' | ';' | '&')) {
            parts.last_mut().unwrap().push(c);
        }
        last = c;
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

#[test]
fn every_command_in_the_documentation_can_be_given() {
    let mut seen = 0;
    for fence in fences() {
        for line in command_lines(&fence) {
            seen += 1;
            // What stands for an id has to be one.
            let id = "0191f0c2-7d8e-7a51-a7b5-3d6c8f2a9e10";
            let words = shlex::split(&line).unwrap_or_else(|| panic!("{}: {line}", fence.place));
            let words = words.iter().map(|word| if word == "ID" { id } else { word });
            let parsed = Cli::command().try_get_matches_from(words);
            if let Err(error) = parsed
                && error.use_stderr()
            {
                panic!("{}: `{line}`: {error}", fence.place);
            }
        }
    }
    assert!(seen >= 5, "only {seen} command lines were found");
}

#[test]
fn a_command_line_ends_where_a_shell_ends_it() {
    let fence = |kind: &str, text: &str| Fence {
        place: String::new(),
        kind: kind.to_owned(),
        text: text.to_owned(),
    };
    let text = "$ echo 'a | b' | gristmill run x.wasm --input-file - > out # why\ngristmill out\n";
    assert_eq!(command_lines(&fence("console", text)), ["gristmill run x.wasm --input-file -"]);
    let text = "gristmill enqueue a \\\n  --input '{\"a\": \"b > c\"}'\n";
    assert_eq!(
        command_lines(&fence("sh", text)),
        ["gristmill enqueue a    --input '{\"a\": \"b > c\"}'"]
    );
    assert!(command_lines(&fence("text", "gristmill run\n")).is_empty());
}

#[test]
fn all_json_in_the_documentation_is_json() {
    for fence in fences().iter().filter(|fence| fence.kind == "json") {
        let parsed = serde_json::from_str::<serde_json::Value>(&fence.text);
        assert!(parsed.is_ok(), "{}: {}", fence.place, parsed.unwrap_err());
    }
}
