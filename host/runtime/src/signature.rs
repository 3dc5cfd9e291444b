//! The types of a component's functions, written as WIT writes them.
//!
//! A component's types have no names at this place, so records and their like are written out. Nested
//! types of a few bytes may make a text of megabytes; it is cut at a bound, and what is left out is `…`.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, Type};

use crate::error::LoadError;
use crate::exports::NotCallable;
use crate::plugin::Plugin;

/// A signature is read by people: a page of text.
const SIGNATURE_BYTES_MAX: usize = 2 << 10;

/// An exported function with its types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The interface that it is in; none: it is exported by itself.
    pub interface: Option<String>,
    /// Its name.
    pub function: String,
    /// Its types, as WIT writes them; cut where they are too long to be read.
    pub wit: String,
    /// Why no job can call it, if it is one that a job would call.
    pub not_callable: Option<String>,
}

/// The interface by which handlers are called, up to its last number.
const HANDLER: &str = "gristmill:job/handler@0.1.";

/// The types of `handle`.
const HANDLE: &str = "func(function: string, input: record { content-type: string, data: list<u8> }) \
    -> result<option<record { content-type: string, data: list<u8> }>, record { message: string, \
    code: option<string>, detail: option<record { content-type: string, data: list<u8> }>, \
    disposition: variant { retry, retry-after(u64), fatal } }>";

/// Whether a component exports the contract's handler.
///
/// # Errors
/// It does, but with types that the host couldn't call.
pub(crate) fn has_handler(engine: &Engine, component: &Component) -> Result<bool, LoadError> {
    let ty = component.component_type();
    let Some((name, export)) = ty.exports(engine).find(|(name, _)| name.starts_with(HANDLER))
    else {
        return Ok(false);
    };
    let found = match export.ty {
        ComponentItem::ComponentInstance(instance) => instance
            .exports(engine)
            .find(|(function, _)| *function == "handle")
            .and_then(|(_, handle)| match handle.ty {
                ComponentItem::ComponentFunc(function) => Some(shown(&function)),
                _ => None,
            }),
        _ => None,
    };
    let found = found.unwrap_or_else(|| "nothing that can be called".to_owned());
    if found == HANDLE {
        return Ok(true);
    }
    Err(LoadError::WrongExport { export: format!("{name}#handle"), found, expected: HANDLE })
}

impl Plugin {
    /// The types of what it exports, made when they are asked for.
    #[must_use]
    pub fn signatures(&self) -> Vec<Signature> {
        let component = self.pre().component();
        let engine = component.engine();
        let not_callable: HashMap<_, _> = self.own().not_callable.iter().map(by_place).collect();
        let not_callable = |interface: Option<&str>, function: &str| {
            not_callable.get(&(interface, function)).map(|why| (*why).to_owned())
        };
        let mut found = Vec::new();
        for (name, export) in component.component_type().exports(engine) {
            match export.ty {
                ComponentItem::ComponentFunc(function) => found.push(Signature {
                    interface: None,
                    function: name.to_owned(),
                    wit: shown(&function),
                    not_callable: not_callable(None, name),
                }),
                ComponentItem::ComponentInstance(instance) => {
                    for (function, item) in instance.exports(engine) {
                        let ComponentItem::ComponentFunc(ty) = item.ty else { continue };
                        found.push(Signature {
                            interface: Some(name.to_owned()),
                            function: function.to_owned(),
                            wit: shown(&ty),
                            not_callable: not_callable(Some(name), function),
                        });
                    }
                }
                _ => {}
            }
        }
        found
    }
}

fn by_place(not: &NotCallable) -> ((Option<&str>, &str), &str) {
    ((not.path.interface.as_deref(), not.path.function.as_str()), not.why.as_str())
}

/// A function's parameters and result, such as `func(width: u32) -> result<string, u8>`.
pub(crate) fn shown(function: &ComponentFunc) -> String {
    let mut text = Text(String::new());
    // The only error is that the text is full.
    if text.function(function).is_err() {
        text.0.push('…');
    }
    text.0
}

/// A text that refuses what would make it longer than it may be.
struct Text(String);

impl fmt::Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.0.len() + part.len() > SIGNATURE_BYTES_MAX {
            return Err(fmt::Error);
        }
        self.0.push_str(part);
        Ok(())
    }
}

impl Text {
    fn function(&mut self, function: &ComponentFunc) -> fmt::Result {
        self.write_str("func(")?;
        self.listed(function.params(), |text, (name, ty)| text.named(name, &ty))?;
        self.write_str(")")?;
        for ty in function.results() {
            self.write_str(" -> ")?;
            self.ty(&ty)?;
        }
        Ok(())
    }

    fn ty(&mut self, ty: &Type) -> fmt::Result {
        match ty {
            Type::Bool => self.write_str("bool"),
            Type::S8 => self.write_str("s8"),
            Type::U8 => self.write_str("u8"),
            Type::S16 => self.write_str("s16"),
            Type::U16 => self.write_str("u16"),
            Type::S32 => self.write_str("s32"),
            Type::U32 => self.write_str("u32"),
            Type::S64 => self.write_str("s64"),
            Type::U64 => self.write_str("u64"),
            Type::Float32 => self.write_str("f32"),
            Type::Float64 => self.write_str("f64"),
            Type::Char => self.write_str("char"),
            Type::String => self.write_str("string"),
            Type::List(list) => self.of("list", [Some(list.ty())]),
            Type::Option(option) => self.of("option", [Some(option.ty())]),
            Type::Result(result) => match (result.ok(), result.err()) {
                (None, None) => self.write_str("result"),
                (ok, None) => self.of("result", [ok]),
                (ok, err) => self.of("result", [ok, err]),
            },
            Type::Tuple(tuple) => self.of("tuple", tuple.types().map(Some)),
            Type::Record(record) => self
                .braced("record", record.fields(), |text, field| text.named(field.name, &field.ty)),
            Type::Variant(variant) => self.braced("variant", variant.cases(), |text, case| {
                text.write_str(case.name)?;
                let Some(ty) = case.ty else { return Ok(()) };
                text.write_str("(")?;
                text.ty(&ty)?;
                text.write_str(")")
            }),
            Type::Enum(cases) => {
                self.braced("enum", cases.names(), |text, name| text.write_str(name))
            }
            Type::Flags(flags) => {
                self.braced("flags", flags.names(), |text, name| text.write_str(name))
            }
            Type::Own(_) => self.write_str("own<resource>"),
            Type::Borrow(_) => self.write_str("borrow<resource>"),
            Type::Future(_) => self.write_str("future"),
            Type::Stream(_) => self.write_str("stream"),
            _ => self.write_str("a type that no job can give"),
        }
    }

    fn named(&mut self, name: &str, ty: &Type) -> fmt::Result {
        self.write_str(name)?;
        self.write_str(": ")?;
        self.ty(ty)
    }

    /// A type of others; one that is missing is `_`.
    fn of(&mut self, name: &str, types: impl IntoIterator<Item = Option<Type>>) -> fmt::Result {
        self.write_str(name)?;
        self.write_str("<")?;
        self.listed(types.into_iter(), |text, ty| match ty {
            Some(ty) => text.ty(&ty),
            None => text.write_str("_"),
        })?;
        self.write_str(">")
    }

    fn braced<T>(
        &mut self,
        name: &str,
        items: impl Iterator<Item = T>,
        write: impl FnMut(&mut Self, T) -> fmt::Result,
    ) -> fmt::Result {
        self.write_str(name)?;
        self.write_str(" { ")?;
        self.listed(items, write)?;
        self.write_str(" }")
    }

    fn listed<T>(
        &mut self,
        items: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> fmt::Result,
    ) -> fmt::Result {
        for (i, item) in items.enumerate() {
            if i > 0 {
                self.write_str(", ")?;
            }
            write(self, item)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::component::Component;
    use wasmtime::component::types::ComponentItem;
    use wasmtime::{Config, Engine};

    use super::*;

    /// The signature of the function that a component imports under `f`.
    fn of(types: &str) -> String {
        let engine = Engine::new(&Config::new()).unwrap();
        let component = Component::new(&engine, format!("(component {types})")).unwrap();
        let ty = component.component_type();
        let import = ty.imports(&engine).find(|(name, _)| *name == "f").unwrap().1;
        let ComponentItem::ComponentFunc(function) = import.ty else { panic!("a function") };
        shown(&function)
    }

    #[test]
    fn types_are_written_as_in_wit() {
        assert_eq!(of("(import \"f\" (func))"), "func()");
        assert_eq!(
            of(
                "(import \"f\" (func (param \"a\" u8) (param \"b-c\" (list string)) (result (option char))))"
            ),
            "func(a: u8, b-c: list<string>) -> option<char>"
        );
        assert_eq!(
            of(
                "(import \"f\" (func (param \"a\" (tuple f32 f64 bool)) (result (result (error u16)))))"
            ),
            "func(a: tuple<f32, f64, bool>) -> result<_, u16>"
        );
        let record = "(type $r' (record (field \"x\" s64) (field \"y\" (result s8))))
                      (import \"r\" (type $r (eq $r')))
                      (type $v' (variant (case \"none\") (case \"some\" $r)))
                      (import \"v\" (type $v (eq $v')))
                      (import \"f\" (func (param \"v\" $v)))";
        assert_eq!(of(record), "func(v: variant { none, some(record { x: s64, y: result<s8> }) })");
        let names = "(type $e' (enum \"red\" \"green\")) (import \"e\" (type $e (eq $e')))
                     (type $g' (flags \"a\" \"b\")) (import \"g\" (type $g (eq $g')))
                     (import \"f\" (func (param \"e\" $e) (result $g)))";
        assert_eq!(of(names), "func(e: enum { red, green }) -> flags { a, b }");
    }

    #[test]
    fn a_type_that_is_too_long_is_cut() {
        let mut types = "(type $t0 u8)".to_owned();
        for i in 0..14 {
            types.push_str(&format!("(type $t{} (tuple $t{i} $t{i}))", i + 1));
        }
        let text = of(&format!("{types} (import \"f\" (func (param \"a\" $t14)))"));
        assert!(
            text.len() <= SIGNATURE_BYTES_MAX + '…'.len_utf8() && text.ends_with('…'),
            "{text}"
        );
    }
}
