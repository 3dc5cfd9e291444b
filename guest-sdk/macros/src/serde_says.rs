//! What `#[serde(…)]` says of how a type is written as JSON, as far as a schema has to know.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr, Result, Token, Type};

/// What a type, a variant or a field says, all in one: most of it fits several of them.
#[derive(Default)]
pub(crate) struct Says {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<String>,
    pub(crate) rename_all_fields: Option<String>,
    pub(crate) aliases: Vec<String>,
    /// It may be left out, or is left out by us.
    pub(crate) may_be_absent: bool,
    pub(crate) skipped: bool,
    pub(crate) flattened: bool,
    pub(crate) closed: bool,
    pub(crate) transparent: bool,
    pub(crate) untagged: bool,
    pub(crate) tag: Option<String>,
    pub(crate) content: Option<String>,
    /// The type that it is read as.
    pub(crate) read_as: Option<Type>,
    /// Whatever is read, nobody here can tell what it looks like.
    pub(crate) opaque: bool,
}

impl Says {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Says> {
        let mut says = Says::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| says.take(&meta))?;
        }
        Ok(says)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match key.as_str() {
            "rename" => self.rename = of_reading(meta)?,
            "rename_all" => self.rename_all = of_reading(meta)?,
            "rename_all_fields" => self.rename_all_fields = of_reading(meta)?,
            "alias" => self.aliases.push(text(meta)?),
            "default" | "skip_serializing_if" | "skip_serializing" => {
                self.may_be_absent = true;
                skip_value(meta)?;
            }
            "skip" | "skip_deserializing" => self.skipped = true,
            "flatten" => self.flattened = true,
            "deny_unknown_fields" => self.closed = true,
            "transparent" => self.transparent = true,
            "untagged" => self.untagged = true,
            "tag" => self.tag = Some(text(meta)?),
            "content" => self.content = Some(text(meta)?),
            "from" | "try_from" => {
                self.read_as = Some(meta.value()?.parse::<LitStr>()?.parse()?);
            }
            // They say nothing of what the JSON looks like.
            "into" | "bound" | "borrow" | "crate" | "expecting" | "serialize_with" => {
                skip_value(meta)?;
            }
            _ => {
                self.opaque = true;
                skip_value(meta)?;
            }
        }
        Ok(())
    }
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<String> {
    Ok(meta.value()?.parse::<LitStr>()?.value())
}

/// A name that may be said for reading and for writing apart.
fn of_reading(meta: &ParseNestedMeta<'_>) -> Result<Option<String>> {
    if meta.input.peek(Token![=]) {
        return text(meta).map(Some);
    }
    let mut name = None;
    meta.parse_nested_meta(|inner| {
        let said = text(&inner)?;
        if inner.path.is_ident("deserialize") || name.is_none() {
            name = Some(said);
        }
        Ok(())
    })?;
    Ok(name)
}

fn skip_value(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        meta.parse_nested_meta(|inner| skip_value(&inner))?;
    }
    Ok(())
}

/// A name by the rule of `rename_all`: of a field, whose words are apart by underscores, or of a
/// variant, whose words begin with capitals.
pub(crate) fn renamed(name: &str, rule: Option<&str>, is_variant: bool) -> String {
    let Some(rule) = rule else { return name.to_owned() };
    let words: Vec<String> = if is_variant { by_capitals(name) } else { by_underscores(name) };
    let capital = |word: &String| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    };
    let pascal: String = words.iter().map(capital).collect::<Vec<String>>().concat();
    match rule {
        "lowercase" if is_variant => name.to_ascii_lowercase(),
        "UPPERCASE" => name.to_ascii_uppercase(),
        "PascalCase" => pascal,
        "camelCase" => pascal[..1].to_ascii_lowercase() + &pascal[1..],
        "snake_case" => words.join("_"),
        "SCREAMING_SNAKE_CASE" => words.join("_").to_ascii_uppercase(),
        "kebab-case" => words.join("-"),
        "SCREAMING-KEBAB-CASE" => words.join("-").to_ascii_uppercase(),
        _ => name.to_owned(),
    }
}

fn by_underscores(name: &str) -> Vec<String> {
    name.split('_').map(str::to_owned).collect()
}

fn by_capitals(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_uppercase() => word.push(letter),
            _ => words.push(letter.to_ascii_lowercase().to_string()),
        }
    }
    words
}
