//! What the rules on sources see of Rust: tokens and their lines.
//!
//! Tokens rather than a syntax tree, because code inside macros has to keep the rules too.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::checkout::File;

/// A function with a body.
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The line of the word `fn`.
    pub(crate) first_line: usize,
    /// The line of the closing brace.
    pub(crate) last_line: usize,
}

/// `allow(…)` or `expect(…)` in an attribute.
pub(crate) struct Exception {
    /// The line that it starts on.
    pub(crate) line: usize,
    /// What is between the parentheses.
    pub(crate) content: TokenStream,
}

impl Exception {
    /// Whether `word` is part of it: the last segment of a lint's name, or `reason`.
    pub(crate) fn has(&self, word: &str) -> bool {
        contains(&self.content, word)
    }
}

/// The tokens of a Rust file.
pub(crate) fn of(file: &File) -> TokenStream {
    TokenStream::from_str(&file.text)
        .unwrap_or_else(|error| panic!("{}: no Rust: {error}", file.path))
}

/// All functions with a body, nested ones too.
pub(crate) fn functions(tokens: &TokenStream) -> Vec<Function> {
    let mut found = Vec::new();
    each_level(tokens, &mut |level| {
        for (at, token) in level.iter().enumerate() {
            if let (true, Some(TokenTree::Ident(name))) = (is_word(token, "fn"), level.get(at + 1))
                && let Some(body) = body_after(&level[at..])
            {
                found.push(Function {
                    name: name.to_string(),
                    first_line: line(token),
                    last_line: body.span_close().end().line,
                });
            }
        }
    });
    found
}

/// The lines on which `.method()` is called without arguments.
pub(crate) fn calls_of(method: &str, tokens: &TokenStream) -> Vec<usize> {
    let mut found = Vec::new();
    each_level(tokens, &mut |level| {
        for call in level.windows(3) {
            if let [TokenTree::Punct(dot), name, TokenTree::Group(arguments)] = call
                && dot.as_char() == '.'
                && is_word(name, method)
                && arguments.delimiter() == Delimiter::Parenthesis
                && arguments.stream().is_empty()
            {
                found.push(line(name));
            }
        }
    });
    found
}

/// All exceptions from lints, those behind a `cfg_attr` too.
pub(crate) fn exceptions(tokens: &TokenStream) -> Vec<Exception> {
    let mut found = Vec::new();
    each_level(tokens, &mut |level| {
        for attribute in level.iter().enumerate().filter_map(|(at, _)| attribute_at(&level[at..])) {
            each_level(&attribute.stream(), &mut |level| {
                for pair in level.windows(2) {
                    if let [TokenTree::Ident(word), TokenTree::Group(group)] = pair
                        && (word == "allow" || word == "expect")
                    {
                        found.push(Exception {
                            line: word.span().start().line,
                            content: group.stream(),
                        });
                    }
                }
            });
        }
    });
    found
}

/// The tokens without the items that only tests are compiled with.
pub(crate) fn without_tests(tokens: TokenStream) -> TokenStream {
    let level: Vec<TokenTree> = tokens.into_iter().collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < level.len() {
        if attribute_at(&level[at..]).is_some_and(is_cfg_test) {
            let end = level[at..].iter().position(ends_item).unwrap_or(level.len() - at - 1);
            at += end + 1;
            continue;
        }
        kept.push(match &level[at] {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), without_tests(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            token => token.clone(),
        });
        at += 1;
    }
    kept.into_iter().collect()
}

/// Calls `visit` with the tokens at every level of nesting.
fn each_level(tokens: &TokenStream, visit: &mut impl FnMut(&[TokenTree])) {
    let mut levels = vec![tokens.clone()];
    while let Some(level) = levels.pop() {
        let level: Vec<TokenTree> = level.into_iter().collect();
        visit(&level);
        levels.extend(level.iter().filter_map(|token| match token {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        }));
    }
}

/// The group of the attribute, outer or inner, that starts here.
fn attribute_at(level: &[TokenTree]) -> Option<&Group> {
    let (TokenTree::Punct(hash), rest) = level.split_first()? else { return None };
    let rest = match rest {
        [TokenTree::Punct(bang), rest @ ..] if bang.as_char() == '!' => rest,
        rest => rest,
    };
    match rest.first()? {
        TokenTree::Group(group)
            if hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
        {
            Some(group)
        }
        _ => None,
    }
}

/// Whether the attribute leaves its item to tests.
fn is_cfg_test(attribute: &Group) -> bool {
    let content = attribute.stream();
    content.clone().into_iter().next().is_some_and(|token| is_word(&token, "cfg"))
        && contains(&content, "test")
        && !contains(&content, "not")
}

/// The body of the function that starts here; none: it is only declared.
fn body_after(level: &[TokenTree]) -> Option<&Group> {
    match level.iter().find(|token| ends_item(token))? {
        TokenTree::Group(body) => Some(body),
        _ => None,
    }
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    }
}

fn contains(tokens: &TokenStream, word: &str) -> bool {
    let mut found = false;
    each_level(tokens, &mut |level| found |= level.iter().any(|token| is_word(token, word)));
    found
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn line(token: &TokenTree) -> usize {
    token.span().start().line
}
