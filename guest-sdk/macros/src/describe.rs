//! `#[derive(Describe)]`: the schema of a type's JSON as serde reads it.
//!
//! A schema doesn't refuse what serde takes: where what serde does can't be told from here, it says
//! nothing. The exceptions are second spellings that nobody means to offer: an array for an object, and
//! `{"Name": null}` for `"Name"`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Field, Fields, Ident, Item, ItemEnum, Result, Type, Variant};

use crate::job::summary;
use crate::serde_says::{Says, renamed};

/// A schema that is being written: JSON as it stands, and parts that other types write.
#[derive(Default)]
struct Writer {
    steps: Vec<TokenStream>,
    text: String,
}

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let described = syn::parse2(item).and_then(|item: Item| impl_of(&item));
    described.unwrap_or_else(Error::into_compile_error)
}

fn impl_of(item: &Item) -> Result<TokenStream> {
    let (ident, generics, attributes) = match item {
        Item::Struct(item) => (&item.ident, &item.generics, &item.attrs),
        Item::Enum(item) => (&item.ident, &item.generics, &item.attrs),
        other => return Err(Error::new_spanned(other, "`Describe` is for structs and enums")),
    };
    if !generics.params.is_empty() {
        let why =
            "`Describe` is for types without parameters; a job takes its input without it, too";
        return Err(Error::new_spanned(generics, why));
    }
    let says = Says::of(attributes)?;
    let mut to = Writer::default();
    if let Some(ty) = &says.read_as {
        to.members_of(ty);
    } else if !says.opaque {
        match item {
            Item::Struct(item) => to.of_fields(&item.fields, &says, None)?,
            Item::Enum(item) => to.of_enum(item, &says)?,
            _ => {}
        }
    }
    let description = json(&summary(attributes));
    let (name, body) = (ident.to_string(), to.finish());
    let named = match item {
        // What is one value is written where it is used.
        Item::Struct(item) if is_one_value(&item.fields, &says) => quote!(#body),
        _ => quote! {
            to.named(::core::concat!(::core::module_path!(), "::", #name), #description, |to| { #body });
        },
    };
    Ok(quote! {
        #[automatically_derived]
        impl ::gristmill_guest::Describe for #ident {
            fn members(to: &mut ::gristmill_guest::Schemas) {
                #[allow(unused_imports, reason = "it depends on the types that are in it")]
                use ::gristmill_guest::macro_support::{Described as _, Undescribed as _};
                #named
            }
        }
    })
}

fn is_one_value(fields: &Fields, says: &Says) -> bool {
    says.transparent || matches!(fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1)
}

/// A text as JSON; empty for none.
fn json(text: &str) -> String {
    if text.is_empty() { String::new() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut json = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c.is_control() => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",")
}

fn name_of(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

/// `Option<…>`, by whatever path: serde takes an absent one as `None`.
fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|s| s.ident == "Option"))
}

impl Writer {
    fn text(&mut self, json: &str) {
        self.text.push_str(json);
    }

    fn step(&mut self, step: TokenStream) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.steps.push(quote!(to.text(#text);));
        }
        self.steps.push(step);
    }

    fn members_of(&mut self, ty: &Type) {
        self.step(quote!((&&::gristmill_guest::macro_support::Probe::<#ty>::NEW).members(to);));
    }

    /// The schema of a field, as an object.
    fn part(&mut self, field: &Field, says: &Says) {
        let description = json(&summary(&field.attrs));
        if says.opaque {
            let about = if description.is_empty() {
                String::new()
            } else {
                format!("\"description\":{description}")
            };
            return self.text(&format!("{{{about}}}"));
        }
        let ty = &field.ty;
        self.step(quote! {
            to.part(#description, |to| {
                (&&::gristmill_guest::macro_support::Probe::<#ty>::NEW).members(to);
            });
        });
    }

    fn finish(mut self) -> TokenStream {
        self.step(TokenStream::new());
        let steps = &self.steps;
        quote!(#(#steps)*)
    }

    /// The members of what has these fields; beside them, an object may have the tag of its variant.
    fn of_fields(&mut self, fields: &Fields, says: &Says, tag: Option<(&str, &str)>) -> Result<()> {
        match fields {
            Fields::Named(named) if says.transparent => {
                named.named.iter().take(1).for_each(|field| self.members_of(&field.ty));
            }
            Fields::Named(named) => self.of_object(named.named.iter(), says, tag)?,
            // What is in it has the tag beside its own keys.
            Fields::Unnamed(_) if tag.is_some() => {
                self.of_object([].into_iter(), &Says::default(), tag)?
            }
            Fields::Unnamed(unnamed) if unnamed.unnamed.len() == 1 => {
                let field = &unnamed.unnamed[0];
                if !Says::of(&field.attrs)?.opaque {
                    self.members_of(&field.ty);
                }
            }
            Fields::Unnamed(unnamed) => self.of_tuple(unnamed.unnamed.iter())?,
            Fields::Unit if tag.is_some() => {
                self.of_object([].into_iter(), &Says::default(), tag)?
            }
            Fields::Unit => self.text("\"type\":\"null\""),
        }
        Ok(())
    }

    fn of_tuple<'a>(&mut self, fields: impl Iterator<Item = &'a Field>) -> Result<()> {
        self.text("\"type\":\"array\",\"prefixItems\":[");
        let (mut before, mut needed) = ("", 0);
        for field in fields {
            let says = Says::of(&field.attrs)?;
            if says.skipped {
                continue;
            }
            needed += usize::from(!says.may_be_absent);
            self.text(before);
            self.part(field, &says);
            before = ",";
        }
        self.text(&format!("],\"minItems\":{needed},\"items\":false"));
        Ok(())
    }

    fn of_object<'a>(
        &mut self,
        fields: impl Iterator<Item = &'a Field>,
        container: &Says,
        tag: Option<(&str, &str)>,
    ) -> Result<()> {
        self.text("\"type\":\"object\",\"properties\":{");
        let (mut required, mut before, mut is_open) = (Vec::new(), "", !container.closed);
        if let Some((key, value)) = tag {
            self.text(&format!("{}:{{\"const\":{}}}", quoted(key), quoted(value)));
            required.push(key.to_owned());
            before = ",";
        }
        for field in fields {
            let says = Says::of(&field.attrs)?;
            is_open |= says.flattened;
            if says.skipped || says.flattened {
                continue;
            }
            let ident = field.ident.as_ref().map(name_of).unwrap_or_default();
            let rule = container.rename_all.as_deref();
            let name = says.rename.clone().unwrap_or_else(|| renamed(&ident, rule, false));
            let may_be_absent = says.may_be_absent
                || container.may_be_absent
                || !says.aliases.is_empty()
                || (is_option(&field.ty) && !says.opaque);
            for name in [&name].into_iter().chain(&says.aliases) {
                self.text(&format!("{before}{}:", quoted(name)));
                self.part(field, &says);
                before = ",";
            }
            if !may_be_absent {
                required.push(name);
            }
        }
        self.text("}");
        if !required.is_empty() {
            self.text(&format!(",\"required\":[{}]", listed(&required)));
        }
        if !is_open {
            self.text(",\"additionalProperties\":false");
        }
        Ok(())
    }

    fn of_enum(&mut self, item: &ItemEnum, says: &Says) -> Result<()> {
        let mut variants = Vec::new();
        for variant in &item.variants {
            let said = Says::of(&variant.attrs)?;
            // `other` takes any tag.
            if said.opaque {
                return Ok(());
            }
            if !said.skipped {
                variants.push((variant, said));
            }
        }
        let is_plain =
            says.tag.is_none() && !says.untagged && !variants.iter().any(|v| v.1.untagged);
        let names = |(variant, said): &(&Variant, Says)| names(variant, said, says);
        if is_plain && variants.iter().all(|variant| variant.0.fields.is_empty()) {
            let names: Vec<String> = variants.iter().flat_map(names).collect();
            self.text(&format!("\"type\":\"string\",\"enum\":[{}]", listed(&names)));
            return Ok(());
        }
        self.text("\"anyOf\":[");
        let mut before = "";
        for found in &variants {
            if says.untagged || found.1.untagged {
                self.text(before);
                before = ",";
                self.variant(found, says, None)?;
                continue;
            }
            for name in names(found) {
                self.text(before);
                before = ",";
                self.variant(found, says, Some(&name))?;
            }
        }
        self.text("]");
        Ok(())
    }

    /// A variant as one of several forms; without a tag, if it has no name.
    fn variant(
        &mut self,
        found: &(&Variant, Says),
        container: &Says,
        name: Option<&str>,
    ) -> Result<()> {
        let (variant, said) = found;
        let rename_all = said.rename_all.clone().or_else(|| container.rename_all_fields.clone());
        let inner = Says { rename_all, closed: container.closed, ..Says::default() };
        let about = json(&summary(&variant.attrs));
        self.text("{");
        match (name, container.tag.as_deref(), container.content.as_deref()) {
            (None, ..) => self.of_fields(&variant.fields, &inner, None)?,
            (Some(name), Some(tag), None) => {
                self.of_fields(&variant.fields, &inner, Some((tag, name)))?;
            }
            (Some(name), Some(tag), Some(content)) => {
                let (tag, name) = (quoted(tag), quoted(name));
                self.text(&format!(
                    "\"type\":\"object\",\"properties\":{{{tag}:{{\"const\":{name}}}"
                ));
                let mut required = tag;
                let fields = &variant.fields;
                if !fields.is_empty() {
                    if fields.len() > 1 || !fields.iter().any(|field| is_option(&field.ty)) {
                        required += &format!(",{}", quoted(content));
                    }
                    self.text(&format!(",{}:{{", quoted(content)));
                    self.of_fields(&variant.fields, &inner, None)?;
                    self.text("}");
                }
                self.text(&format!("}},\"required\":[{required}]"));
            }
            (Some(name), None, _) if variant.fields.is_empty() => {
                self.text(&format!("\"const\":{}", quoted(name)));
            }
            (Some(name), None, _) => {
                let name = quoted(name);
                self.text(&format!("\"type\":\"object\",\"properties\":{{{name}:{{"));
                self.of_fields(&variant.fields, &inner, None)?;
                let end = format!("}}}},\"required\":[{name}],\"additionalProperties\":false");
                self.text(&end);
            }
        }
        // What has no name may have nothing at all that a description could follow.
        if !about.is_empty() && name.is_some() {
            self.text(&format!(",\"description\":{about}"));
        }
        self.text("}");
        Ok(())
    }
}

/// What a variant goes by.
fn names(variant: &Variant, said: &Says, container: &Says) -> Vec<String> {
    let ident = name_of(&variant.ident);
    let rule = container.rename_all.as_deref();
    let name = said.rename.clone().unwrap_or_else(|| renamed(&ident, rule, true));
    [name].into_iter().chain(said.aliases.iter().cloned()).collect()
}

#[cfg(test)]
mod tests;
