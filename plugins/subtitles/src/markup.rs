//! From the markup of SubRip to that of WebVTT.
//!
//! SubRip has none by itself; players understand `<i>`, `<b>`, `<u>` and `<font>`, and the override
//! codes of another format in braces, of which `{\an8}` (where to place the cue) is common. WebVTT
//! has the first three, places cues by settings beside their times, and reads `&`, `<` and `>` as
//! its own, so that they are escaped wherever they are text.

use crate::cue::{Cue, Problem};

/// A cue's text in WebVTT, and the settings that place it.
pub(crate) struct Placed {
    /// With a space before each; may be empty.
    pub(crate) settings: &'static str,
    pub(crate) text: String,
}

/// What a piece of text is.
enum Piece<'a> {
    Text(&'a str),
    Tag(&'a str),
    Code(&'a str),
}

/// The entities that WebVTT knows; where one is written, it is meant.
const ENTITIES: [&str; 6] = ["&amp;", "&lt;", "&gt;", "&lrm;", "&rlm;", "&nbsp;"];

/// Translates the markup of a cue; what can't be said in WebVTT is left out and a problem.
pub(crate) fn to_vtt(cue: &Cue, problems: &mut Vec<Problem>) -> Placed {
    let mut writer = Writer::default();
    let text = cue.text.join("\n");
    let mut rest = text.as_str();
    while let Some((piece, after)) = next_piece(rest) {
        writer.write(piece);
        rest = after;
    }
    writer.close_all();
    let lost = writer.lost.into_iter().map(|lost| Problem::at(cue.line, lost));
    problems.extend(lost);
    Placed { settings: writer.settings, text: writer.out }
}

/// Takes a tag, an override code, or the text up to the next one of them.
fn next_piece(text: &str) -> Option<(Piece<'_>, &str)> {
    if text.is_empty() {
        return None;
    }
    if let Some(length) = tag_length(text) {
        return Some((Piece::Tag(&text[1..length - 1]), &text[length..]));
    }
    if let Some(length) = code_length(text) {
        return Some((Piece::Code(&text[2..length - 1]), &text[length..]));
    }
    let mut ends = text.char_indices().skip(1).map(|(index, _)| index);
    let end = ends
        .find(|&index| tag_length(&text[index..]).or(code_length(&text[index..])).is_some())
        .unwrap_or(text.len());
    Some((Piece::Text(&text[..end]), &text[end..]))
}

/// The length of a tag such as `<i>`, `</font>` or `<font color="red">`. A `<` that isn't followed
/// by a name is text.
fn tag_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('<')?;
    let name = inside.strip_prefix('/').unwrap_or(inside);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let end = inside.find(['>', '<', '\n'])?;
    inside[end..].starts_with('>').then_some(end + 2)
}

/// The length of an override code such as `{\an8}`.
fn code_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("{\\")?;
    let end = inside.find(['}', '{', '\n'])?;
    inside[end..].starts_with('}').then_some(end + 3)
}

#[derive(Default)]
struct Writer {
    out: String,
    settings: &'static str,
    /// The tags that are open, the innermost last.
    open: Vec<&'static str>,
    lost: Vec<String>,
}

impl Writer {
    fn write(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Text(text) => self.text(text),
            Piece::Code(code) => match placement(code) {
                Some(settings) => self.settings = settings,
                None => self.lost.push(format!("WebVTT has no {{\\{code}}}; left out")),
            },
            Piece::Tag(tag) => match (tag.strip_prefix('/'), known(tag)) {
                (None, Some(name)) => self.open(name),
                (Some(_), Some(name)) => self.close(name),
                // Its opening tag was the problem.
                (Some(_), None) => {}
                (None, None) => self.lost.push(format!("WebVTT has no <{tag}>; left out")),
            },
        }
    }

    fn text(&mut self, text: &str) {
        for (index, c) in text.char_indices() {
            match c {
                '&' if ENTITIES.iter().any(|entity| text[index..].starts_with(entity)) => {
                    self.out.push('&');
                }
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                c => self.out.push(c),
            }
        }
    }

    fn open(&mut self, name: &'static str) {
        self.out.push_str(&format!("<{name}>"));
        self.open.push(name);
    }

    /// Closes a tag; those inside of it that are still open close with it and open again.
    fn close(&mut self, name: &'static str) {
        let Some(place) = self.open.iter().rposition(|open| *open == name) else {
            self.lost.push(format!("</{name}> closes nothing; left out"));
            return;
        };
        let inner = self.open.split_off(place + 1);
        for name in inner.iter().rev() {
            self.out.push_str(&format!("</{name}>"));
        }
        self.out.push_str(&format!("</{name}>"));
        self.open.pop();
        inner.into_iter().for_each(|name| self.open(name));
    }

    fn close_all(&mut self) {
        while let Some(name) = self.open.pop() {
            self.out.push_str(&format!("</{name}>"));
            self.lost.push(format!("<{name}> isn't closed; closed at the end of the cue"));
        }
    }
}

/// The tags that both formats have; players read them in either case.
fn known(tag: &str) -> Option<&'static str> {
    let name = tag.trim_start_matches('/').trim();
    ["i", "b", "u"].into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// The settings for `an1` (bottom left) to `an9` (top right), as on a numeric keypad.
fn placement(code: &str) -> Option<&'static str> {
    Some(match code {
        "an1" => " position:0% align:left",
        "an2" => "",
        "an3" => " position:100% align:right",
        "an4" => " line:50% position:0% align:left",
        "an5" => " line:50%",
        "an6" => " line:50% position:100% align:right",
        "an7" => " line:0 position:0% align:left",
        "an8" => " line:0",
        "an9" => " line:0 position:100% align:right",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
