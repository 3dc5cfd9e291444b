//! From a schema's JSON to its forms.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::pattern::{Pattern, Patterns};
use super::{Bound, Form, Place, Properties, Rule, Size, Type};
use crate::log_book::cut;

/// What can't be kept: the answer depends on more than schema and value, or on other documents.
const NOT_KEPT: [&str; 4] =
    ["$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties"];

/// Bytes of a place that an error tells; every form has its own, so that it has to be short.
const POINTER_BYTES_MAX: usize = 200;

/// The whole schema, and how far it is.
struct Compiler<'a> {
    root: &'a Value,
    anchors: HashMap<&'a str, &'a Value>,
    /// By the address of the value that each was read from.
    places: HashMap<*const Value, Place>,
    /// Forms that have a place and aren't read yet, in this order, with where they stand in the schema.
    unread: VecDeque<(String, &'a Value)>,
    patterns: Patterns,
}

/// Where something is wrong, and what.
fn at(pointer: &str, why: &str) -> String {
    format!("at \"#{pointer}\": {why}")
}

pub(super) fn compile(root: &Value) -> Result<Arc<[Form]>, String> {
    let mut compiler = Compiler {
        root,
        anchors: anchors(root),
        places: HashMap::new(),
        unread: VecDeque::new(),
        patterns: Patterns::new(),
    };
    compiler.place(String::new(), root);
    let mut forms = Vec::new();
    // No recursion: how deep schemas and references go is their author's choice.
    while let Some((pointer, schema)) = compiler.unread.pop_front() {
        forms.push(compiler.form(&pointer, schema)?);
    }
    Ok(forms.into())
}

/// The schemas that have names of their own.
fn anchors(root: &Value) -> HashMap<&str, &Value> {
    let mut found = HashMap::new();
    let mut unseen = vec![root];
    while let Some(value) = unseen.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(name)) = members.get("$anchor") {
                    found.insert(name.as_str(), value);
                }
                unseen.extend(members.values());
            }
            Value::Array(items) => unseen.extend(items),
            _ => {}
        }
    }
    found
}

/// A place, one key further.
fn below(pointer: &str, key: &str) -> String {
    if pointer.len() + key.len() > POINTER_BYTES_MAX {
        return format!("{}/…", pointer.trim_end_matches("/…"));
    }
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

impl<'a> Compiler<'a> {
    fn place(&mut self, pointer: String, schema: &'a Value) -> Place {
        let next = self.places.len();
        let place = *self.places.entry(std::ptr::from_ref(schema)).or_insert(next);
        if place == next {
            self.unread.push_back((pointer, schema));
        }
        place
    }

    fn form(&mut self, pointer: &str, schema: &'a Value) -> Result<Form, String> {
        match schema {
            Value::Bool(true) => Ok(Form::Anything),
            Value::Bool(false) => Ok(Form::Nothing),
            Value::Object(members) => {
                Reader { pointer, members, compiler: self }.rules().map(Form::Rules)
            }
            _ => Err(at(pointer, "a schema is an object, true or false")),
        }
    }

    /// Where a reference leads.
    fn target(&mut self, reference: &str) -> Result<Place, String> {
        let Some(fragment) = reference.strip_prefix('#') else {
            let shown = cut(reference, POINTER_BYTES_MAX);
            return Err(format!("{shown:?} is elsewhere, and nothing is fetched"));
        };
        let unknown = || format!("{:?} leads nowhere", cut(reference, POINTER_BYTES_MAX));
        let schema = match fragment.is_empty() || fragment.starts_with('/') {
            true => unescaped(fragment).and_then(|pointer| self.root.pointer(&pointer)),
            false => self.anchors.get(fragment).copied(),
        };
        let schema = schema.ok_or_else(unknown)?;
        Ok(self.place(cut(fragment, POINTER_BYTES_MAX).to_owned(), schema))
    }
}

/// A fragment of a URI without its escapes.
fn unescaped(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let code = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(code).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Reads one schema.
struct Reader<'c, 'a> {
    pointer: &'c str,
    members: &'a Map<String, Value>,
    compiler: &'c mut Compiler<'a>,
}

type Read<T> = Result<T, String>;

impl<'a> Reader<'_, 'a> {
    /// The cheap rules come first: where one of them doesn't hold, most of the others say no more.
    fn rules(mut self) -> Read<Vec<Rule>> {
        if let Some(keyword) = NOT_KEPT.iter().find(|keyword| self.members.contains_key(**keyword))
        {
            return Err(at(self.pointer, &format!("{keyword} can't be kept here")));
        }
        if !self.pointer.is_empty() && self.members.contains_key("$id") {
            return Err(at(self.pointer, "only the whole schema may have an $id"));
        }
        let mut rules = Vec::new();
        self.values(&mut rules)?;
        self.numbers(&mut rules)?;
        self.sizes(&mut rules)?;
        self.items(&mut rules)?;
        self.properties(&mut rules)?;
        self.dependents(&mut rules)?;
        self.several(&mut rules)?;
        Ok(rules)
    }

    fn wrong<T>(&self, key: &str, wanted: &str) -> Read<T> {
        Err(at(&below(self.pointer, key), &format!("expected {wanted}")))
    }

    fn values(&mut self, rules: &mut Vec<Rule>) -> Read<()> {
        match self.members.get("type") {
            Some(Value::Array(names)) => {
                rules.push(Rule::Types(
                    names.iter().map(|name| self.a_type(name)).collect::<Read<_>>()?,
                ));
            }
            Some(name) => rules.push(Rule::Types(vec![self.a_type(name)?])),
            None => {}
        }
        if let Some(value) = self.members.get("const") {
            rules.push(Rule::OneOfValues(vec![value.clone()]));
        }
        match self.members.get("enum") {
            Some(Value::Array(values)) => rules.push(Rule::OneOfValues(values.clone())),
            Some(_) => return self.wrong("enum", "an array"),
            None => {}
        }
        if let Some(text) = self.members.get("pattern") {
            rules.push(Rule::Pattern(self.a_pattern("pattern", text)?));
        }
        Ok(())
    }

    fn a_type(&self, name: &Value) -> Read<Type> {
        let known = Type::ALL.iter().find(|known| name.as_str() == Some(known.0));
        known.map_or_else(|| self.wrong("type", "names of types"), |known| Ok(known.1))
    }

    fn a_pattern(&mut self, key: &str, text: &Value) -> Read<Pattern> {
        let Some(text) = text.as_str() else { return self.wrong(key, "a pattern") };
        let made = self.compiler.patterns.make(text);
        made.map_err(|why| at(&below(self.pointer, key), &why))
    }

    fn numbers(&mut self, rules: &mut Vec<Rule>) -> Read<()> {
        for (key, bound) in [
            ("minimum", Bound::AtLeast),
            ("exclusiveMinimum", Bound::MoreThan),
            ("maximum", Bound::AtMost),
            ("exclusiveMaximum", Bound::LessThan),
        ] {
            if let Some(number) = self.number(key)? {
                rules.push(Rule::Bound(bound, number));
            }
        }
        match self.number("multipleOf")? {
            Some(of) if of.as_f64().is_none_or(|of| of <= 0.0) => {
                return self.wrong("multipleOf", "a number above 0");
            }
            Some(of) => rules.push(Rule::MultipleOf(of)),
            None => {}
        }
        Ok(())
    }

    fn number(&self, key: &str) -> Read<Option<Number>> {
        match self.members.get(key) {
            Some(Value::Number(number)) => Ok(Some(number.clone())),
            Some(_) => self.wrong(key, "a number"),
            None => Ok(None),
        }
    }

    fn sizes(&mut self, rules: &mut Vec<Rule>) -> Read<()> {
        for (key, size) in [
            ("minLength", Size::LengthMin),
            ("maxLength", Size::LengthMax),
            ("minItems", Size::ItemsMin),
            ("maxItems", Size::ItemsMax),
            ("minProperties", Size::PropertiesMin),
            ("maxProperties", Size::PropertiesMax),
        ] {
            if let Some(bound) = self.count(key)? {
                rules.push(Rule::Size(size, bound));
            }
        }
        Ok(())
    }

    fn count(&self, key: &str) -> Read<Option<u64>> {
        let Some(value) = self.members.get(key) else { return Ok(None) };
        // 2.0 is a count, too.
        let whole = value.as_f64().filter(|number| number.fract() == 0.0 && *number >= 0.0);
        match value.as_u64().or(whole.map(|number| number as u64)) {
            Some(count) => Ok(Some(count)),
            None => self.wrong(key, "a whole number from 0"),
        }
    }

    fn items(&mut self, rules: &mut Vec<Rule>) -> Read<()> {
        // An array under `items`, and what is beyond it under `additionalItems`, is draft 7.
        let (first, rest) = match self.members.get("items") {
            Some(Value::Array(_)) => ("items", "additionalItems"),
            _ => ("prefixItems", "items"),
        };
        let first = self.forms(first)?.unwrap_or_default();
        let rest = self.sub(rest);
        if !first.is_empty() || rest.is_some() {
            rules.push(Rule::Items { first, rest });
        }
        if let Some(form) = self.sub("contains") {
            let min = self.count("minContains")?.unwrap_or(1);
            rules.push(Rule::Contains { form, min, max: self.count("maxContains")? });
        }
        if self.members.get("uniqueItems") == Some(&Value::Bool(true)) {
            rules.push(Rule::UniqueItems);
        }
        Ok(())
    }

    fn properties(&mut self, rules: &mut Vec<Rule>) -> Read<()> {
        if let Some(names) = self.names("required", self.members.get("required"))? {
            rules.push(Rule::Required(None, names));
        }
        let named = self.named_forms("properties")?;
        let mut fitting = Vec::new();
        for (text, place) in self.named_forms("patternProperties")? {
            fitting.push((self.a_pattern("patternProperties", &Value::from(text))?, place));
        }
        let others = self.sub("additionalProperties");
        if !named.is_empty() || !fitting.is_empty() || others.is_some() {
            rules.push(Rule::Properties(Properties { named, fitting, others }));
        }
        if let Some(form) = self.sub("propertyNames") {
            rules.push(Rule::PropertyNames(form));
        }
        Ok(())
    }

    fn dependents(&mut self, rules: &mut Vec<Rule>) -> Read<()> {
        for key in ["dependentRequired", "dependentSchemas", "dependencies"] {
            let Some(value) = self.members.get(key) else { continue };
            let Value::Object(members) = value else { return self.wrong(key, "an object") };
            for (name, wanted) in members {
                if wanted.is_array() && key != "dependentSchemas" {
                    let names = self.names(key, Some(wanted))?.unwrap_or_default();
                    rules.push(Rule::Required(Some(name.clone()), names));
                } else {
                    let pointer = below(&below(self.pointer, key), name);
                    let place = self.compiler.place(pointer, wanted);
                    rules.push(Rule::Dependent(name.clone(), place));
                }
            }
        }
        Ok(())
    }

    fn names(&self, key: &str, value: Option<&Value>) -> Read<Option<Vec<String>>> {
        let Some(value) = value else { return Ok(None) };
        let text = |name: &Value| name.as_str().map(str::to_owned);
        let names = value.as_array().and_then(|names| names.iter().map(text).collect());
        names.map_or_else(|| self.wrong(key, "an array of names"), |names| Ok(Some(names)))
    }

    /// Rules that are made of whole schemas.
    fn several(&mut self, rules: &mut Vec<Rule>) -> Read<()> {
        if let Some(reference) = self.members.get("$ref") {
            let Some(text) = reference.as_str() else { return self.wrong("$ref", "a reference") };
            let target = self.compiler.target(text);
            let target = target.map_err(|why| at(&below(self.pointer, "$ref"), &why))?;
            rules.push(Rule::All(vec![target]));
        }
        rules.extend(self.forms("allOf")?.map(Rule::All));
        rules.extend(self.forms("anyOf")?.map(Rule::Any));
        rules.extend(self.forms("oneOf")?.map(Rule::One));
        rules.extend(self.sub("not").map(Rule::Not));
        if let Some(condition) = self.sub("if") {
            let (then, otherwise) = (self.sub("then"), self.sub("else"));
            rules.push(Rule::If { condition, then, otherwise });
        }
        Ok(())
    }

    fn sub(&mut self, key: &str) -> Option<Place> {
        let schema = self.members.get(key)?;
        Some(self.compiler.place(below(self.pointer, key), schema))
    }

    fn forms(&mut self, key: &str) -> Read<Option<Vec<Place>>> {
        let schemas = match self.members.get(key) {
            Some(Value::Array(schemas)) => schemas,
            Some(_) => return self.wrong(key, "an array of schemas"),
            None => return Ok(None),
        };
        let pointer = below(self.pointer, key);
        let forms = schemas.iter().enumerate();
        let forms =
            forms.map(|(at, schema)| self.compiler.place(below(&pointer, &at.to_string()), schema));
        Ok(Some(forms.collect()))
    }

    fn named_forms(&mut self, key: &str) -> Read<Vec<(String, Place)>> {
        let schemas = match self.members.get(key) {
            Some(Value::Object(schemas)) => schemas,
            Some(_) => return self.wrong(key, "an object of schemas"),
            None => return Ok(Vec::new()),
        };
        let pointer = below(self.pointer, key);
        let form = |(name, schema): (&'a String, &'a Value)| {
            (name.clone(), self.compiler.place(below(&pointer, name), schema))
        };
        let mut forms: Vec<_> = schemas.iter().map(form).collect();
        forms.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(forms)
    }
}
