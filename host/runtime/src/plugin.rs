//! A component, ready to be called: compiled, linked, described.

use std::fmt;
use std::sync::{Arc, Weak};

use gristmill_job::{Digest, FunctionName, NewJob, PluginName, Rejection};
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::bindings::GuestIndices;
use crate::command::Command;
use crate::config::{Config, MESSAGE_BYTES_MAX};
use crate::describe::{self, Called, Function};
use crate::error::LoadError;
use crate::exports::{Exports, NotCallable};
use crate::grants::Grants;
use crate::limits::Limits;
use crate::log_book::cut;
use crate::manifest::Manifest;
use crate::outbound::Outbound;
use crate::state::State;
use crate::terms::{AllTerms, Terms};
use crate::{capabilities, inert, signature, wasi};

/// A component, ready to be called. Cloning shares it.
#[derive(Clone)]
pub struct Plugin(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    name: PluginName,
    digest: Digest,
    bytes: usize,
    functions: Option<Vec<Function>>,
    imports: Vec<Interface>,
    exports: Vec<Interface>,
    manifest: Manifest,
    terms: AllTerms,
    outbound: Arc<Outbound>,
    own: Exports,
    command: Option<Arc<Command>>,
    pre: InstancePre<State>,
    handler: Option<GuestIndices>,
}

/// An interface or function that a component imports or exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name with package and version, or the function's.
    pub name: String,
    /// The functions in it; empty for a function.
    pub functions: Vec<String>,
}

impl Plugin {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &PluginName {
        &self.0.name
    }

    /// The digest of the component's bytes: which version of the plugin this is.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// The component's size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// What it says of its functions; none, if it doesn't describe itself.
    #[must_use]
    pub fn functions(&self) -> Option<&[Function]> {
        self.0.functions.as_deref()
    }

    /// What it imports. No statement of need: most toolchains import all that there is.
    #[must_use]
    pub fn imports(&self) -> &[Interface] {
        &self.0.imports
    }

    /// What it exports.
    #[must_use]
    pub fn exports(&self) -> &[Interface] {
        &self.0.exports
    }

    /// What it is granted beyond what is its own.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.0.manifest.grants
    }

    /// What its manifest says.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// On what terms attempts of a function run; of no function in particular, if none is named and
    /// the plugin has several.
    #[must_use]
    pub fn terms(&self, function: Option<&FunctionName>) -> &Arc<Terms> {
        if !self.0.terms.differ() {
            return self.0.terms.of(None);
        }
        let found = self.functions().and_then(|all| describe::find(all, function).ok());
        self.0.terms.of(found.map(|found| &found.name).or(function))
    }

    /// Which function a job calls, and whether its input and options fit.
    ///
    /// # Errors
    /// A rejection that says what would fit.
    pub fn check(&self, job: &NewJob) -> Result<FunctionName, Rejection> {
        self.admit(job).map(|called| called.function.clone())
    }

    /// The same, with what the function is called with.
    pub(crate) fn admit<'a>(&'a self, job: &'a NewJob) -> Result<Called<'a>, Rejection> {
        describe::admit(self.functions(), job)
    }

    pub(crate) fn outbound(&self) -> &Outbound {
        &self.0.outbound
    }

    /// Its component's code.
    pub(crate) fn compiled(&self) -> Compiled {
        let component = self.pre().component().clone();
        Compiled { component, digest: self.digest(), bytes: self.bytes() }
    }

    pub(crate) fn pre(&self) -> &InstancePre<State> {
        &self.0.pre
    }

    /// The contract's door, where it has one.
    pub(crate) fn handler(&self) -> Option<&GuestIndices> {
        self.0.handler.as_ref()
    }

    /// What it exports with types of its own.
    pub(crate) fn own(&self) -> &Exports {
        &self.0.own
    }

    /// The same plugin, once it has described itself. A handler that says nothing of its functions may know
    /// any; without a handler, the functions are what the component exports with types of its own.
    pub(crate) fn described(mut self, described: Option<Vec<Function>>) -> Result<Self, LoadError> {
        let functions = if self.handler().is_some() { described } else { Some(self.exported()) };
        if let Some(functions) = &functions {
            let is_known = |name: &&FunctionName| functions.iter().any(|f| f.name == **name);
            if let Some(unknown) = self.0.manifest.functions.keys().find(|name| !is_known(name)) {
                let known: Vec<&str> = functions.iter().map(|f| f.name.as_str()).collect();
                let known = known.join(", ");
                return Err(LoadError::UnknownFunction { function: unknown.to_string(), known });
            }
        }
        Arc::make_mut(&mut self.0).functions = functions;
        Ok(self)
    }

    fn exported(&self) -> Vec<Function> {
        let mut functions = self.own().functions();
        let program = self.0.command.as_ref();
        functions.extend(program.and_then(|program| program.function(&functions)));
        functions
    }
}

impl Plugin {
    /// Whether both are one and the same, not just equal.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn downgrade(&self) -> WeakPlugin {
        WeakPlugin(Arc::downgrade(&self.0))
    }
}

/// A plugin as long as somebody else holds it.
pub(crate) struct WeakPlugin(Weak<Inner>);

impl WeakPlugin {
    pub(crate) fn upgrade(&self) -> Option<Plugin> {
        self.0.upgrade().map(Plugin)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plugin({} {})", self.name(), self.digest())
    }
}

/// A component's code and what it was made of.
pub(crate) struct Compiled {
    pub(crate) component: Component,
    pub(crate) digest: Digest,
    pub(crate) bytes: usize,
}

/// Links a compiled component; takes time on a processor, so not for an async thread.
pub(crate) fn prepare(
    engine: &Engine,
    linker: &Linker<State>,
    config: &Config,
    name: PluginName,
    compiled: Compiled,
    manifest: Manifest,
) -> Result<Plugin, LoadError> {
    let Compiled { component, digest, bytes } = compiled;
    let imports = interfaces(engine, component.component_type().imports(engine));
    let exports = interfaces(engine, component.component_type().exports(engine));
    if let Some(import) = imports.iter().find(|import| !is_offered(&import.name)) {
        let import = cut(&import.name, MESSAGE_BYTES_MAX).to_owned();
        return Err(LoadError::MissingImport { import });
    }
    let has_handler = signature::has_handler(engine, &component)?;
    // Tools export more beside the contract's door than is meant for jobs.
    let (own, command) = if has_handler {
        (Exports::default(), None)
    } else {
        let command = Command::of(engine, &component, &manifest.command);
        (Exports::of(engine, &component), command.map(Arc::new))
    };
    if !has_handler && own.callable.is_empty() && command.is_none() {
        return Err(LoadError::NothingToCall { exports: listed(&exports, &own) });
    }
    let terms = AllTerms::new(&manifest, &config.limits);
    check_needs(&component, &terms)?;
    let mut linker = linker.clone();
    let wrong_import = |e: wasmtime::Error| LoadError::WrongImport(one_line(&e));
    inert::add_to_linker(&mut linker, engine, &component, &manifest.grants)
        .map_err(wrong_import)?;
    if !manifest.grants.folders.is_empty() {
        wasi::add_files_to_linker(&mut linker).map_err(wrong_import)?;
    }
    let pre = linker.instantiate_pre(&component).map_err(wrong_import)?;
    let handler = has_handler.then(|| GuestIndices::new(&pre)).transpose();
    let handler = handler.map_err(wrong_import)?;
    Ok(Plugin(Arc::new(Inner {
        name,
        digest,
        bytes,
        functions: None,
        imports,
        exports,
        outbound: Arc::new(Outbound::new(&manifest.grants.http)),
        manifest,
        terms,
        own,
        command,
        pre,
        handler,
    })))
}

/// Tells a component from what people mistake for one.
pub(crate) fn recognise(bytes: &[u8], bytes_max: usize) -> Result<(), LoadError> {
    if bytes.len() > bytes_max {
        return Err(LoadError::TooLarge { bytes: bytes.len(), max: bytes_max });
    }
    const MAGIC: &[u8] = b"\0asm";
    const CORE_MODULE: &[u8] = &[1, 0, 0, 0];
    let what = if bytes.is_empty() {
        "an empty file"
    } else if bytes.starts_with(MAGIC) {
        if bytes.get(4..8) != Some(CORE_MODULE) {
            return Ok(());
        }
        "a core module: build it for wasm32-wasip2, or make a component of it with wasm-tools"
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        let start = text.trim_start();
        if start.starts_with("(component") || start.starts_with(";;") || start.starts_with("(;") {
            return Ok(());
        }
        if start.starts_with("(module") { "a core module in text form" } else { "a text file" }
    } else if bytes.starts_with(b"\x7fELF") {
        "a native program"
    } else {
        "a file of another kind"
    };
    Err(LoadError::NotAComponent(what))
}

fn is_offered(import: &str) -> bool {
    import.starts_with("gristmill:job/")
        || wasi::REAL.iter().any(|real| import.starts_with(real))
        || capabilities::offers(import)
        || inert::offers(import)
}

/// A component that could never start is refused when it is loaded, rather than at every attempt.
fn check_needs(component: &Component, terms: &AllTerms) -> Result<(), LoadError> {
    let Some(needs) = component.resources_required() else { return Ok(()) };
    let check = |limit, needs: u64, allowed: fn(&Limits) -> usize| {
        let allowed = terms.iter().map(|(_, terms)| allowed(&terms.limits) as u64).max();
        let allowed = allowed.unwrap_or_default();
        if needs > allowed { Err(LoadError::AboveLimit { limit, needs, allowed }) } else { Ok(()) }
    };
    check("memories", needs.num_memories.into(), |limits| limits.memories_max)?;
    check("tables", needs.num_tables.into(), |limits| limits.tables_max)?;
    let pages = needs.max_initial_memory_size.unwrap_or_default();
    check("memory", pages.saturating_mul(64 << 10), |limits| limits.memory_bytes_max)?;
    let elements = needs.max_initial_table_size.unwrap_or_default();
    check("table_elements", elements, |limits| limits.table_elements_max)
}

fn interfaces<'a>(
    engine: &Engine,
    items: impl Iterator<Item = (&'a str, wasmtime::component::types::ComponentExtern<'a>)>,
) -> Vec<Interface> {
    let mut found = Vec::new();
    for (name, item) in items {
        let functions = match item.ty {
            ComponentItem::ComponentInstance(instance) => instance
                .exports(engine)
                .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)))
                .map(|(name, _)| name.to_owned())
                .collect(),
            _ => Vec::new(),
        };
        found.push(Interface { name: name.to_owned(), functions });
    }
    found
}

/// What there is instead of something to call, with the reasons why it can't be.
fn listed(exports: &[Interface], own: &Exports) -> String {
    if exports.is_empty() {
        return "nothing".to_owned();
    }
    let names: Vec<&str> = exports.iter().map(|export| export.name.as_str()).collect();
    let mut text = names.join(", ");
    for NotCallable { path, why } in &own.not_callable {
        text.push_str(&format!("; {path} can't be called: {why}"));
    }
    cut(&text, MESSAGE_BYTES_MAX).to_owned()
}

/// The engine's error in one line: errors are read in terminals and logs.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    let words: Vec<&str> = text.split_whitespace().collect();
    cut(&words.join(" "), MESSAGE_BYTES_MAX).to_owned()
}
