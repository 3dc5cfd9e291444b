//! `gristmill plugin inspect`: all that is known of a plugin.

use std::collections::BTreeMap;

use clap::builder::FalseyValueParser;
use gristmill::runtime::{Grants, Interface, Signature, Target};
use gristmill::{FunctionView, LimitsView, Plugin, PluginEntry, PluginView, PluginsView};
use serde::Serialize;
use serde_json::Value;

use super::Place;
use crate::cli::args::Component;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::info::limits;
use crate::cli::output;
use crate::cli::report::aligned;

/// Show a plugin's functions, imports, exports, grants and limits
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gristmill plugin inspect target/plugins/wordcount.wasm")]
pub(super) struct Args {
    /// A component's file (with a / or ending in .wasm or .wat), or a plugin's name
    #[arg(value_name = "PLUGIN|FILE")]
    plugin: String,
    #[command(flatten)]
    place: Place,
    /// Print the plugin as JSON
    #[arg(long, env = "GRISTMILL_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
    /// Print the JSON Schemas (2020-12) of each function's input and output, and nothing else
    #[arg(long, conflicts_with = "json")]
    schema: bool,
}

/// The schemas of a function that has any.
#[derive(Serialize)]
struct SchemaView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Value>,
}

/// A plugin with all that is known of it.
#[derive(Serialize)]
struct Inspected {
    #[serde(flatten)]
    plugin: PluginView,
    imports: Vec<InterfaceView>,
    exports: Vec<InterfaceView>,
    /// The exported functions with their types.
    signatures: Vec<SignatureView>,
    config: BTreeMap<String, String>,
    grants: GrantsView,
    limits: LimitsView,
    /// Of functions that have limits of their own.
    function_limits: BTreeMap<String, LimitsView>,
}

#[derive(Serialize)]
struct InterfaceView {
    name: String,
    functions: Vec<String>,
}

#[derive(Serialize)]
struct SignatureView {
    interface: Option<String>,
    function: String,
    wit: String,
    /// Why no job can call it, where a job would.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_callable: Option<String>,
}

/// What a manifest grants; of secrets, where they come from.
#[derive(Serialize)]
struct GrantsView {
    cache: BTreeMap<String, &'static str>,
    env: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
    enqueue: Vec<String>,
    folders: BTreeMap<String, FolderView>,
}

#[derive(Serialize)]
struct FolderView {
    path: String,
    access: &'static str,
}

pub(super) async fn run(args: &Args) -> Result<Exit, Error> {
    if let Some(view) = args.place.elsewhere().await? {
        return inspect_there(args, view);
    }
    let component = Component::parse(&args.plugin)?;
    let host = args.place.plugins.builder(None)?.concurrency(1).build().await?;
    let plugin = component.load(&host).await?;
    let inspected = Inspected::new(&plugin);
    if args.schema {
        output::json(&schemas(&inspected.plugin))?;
    } else if args.json {
        output::json(&inspected)?;
    } else {
        output::text(&output::tame(&inspected.shown()))?;
    }
    host.shutdown().await?;
    Ok(Exit::Completed)
}

/// What a daemon, or a fleet, says of one of its plugins.
fn inspect_there(args: &Args, view: PluginsView) -> Result<Exit, Error> {
    let mut plugins = view.plugins.into_iter();
    let Some(entry) = plugins.find(|entry| entry.name().as_str() == args.plugin) else {
        return Err(Error::NotFound(format!("there is no plugin {:?} there", args.plugin)));
    };
    match &entry {
        PluginEntry::Usable(view) if args.schema => output::json(&schemas(view))?,
        _ if args.json => output::json(&entry)?,
        PluginEntry::Usable(view) => output::text(&output::tame(&described(view)))?,
        PluginEntry::Unusable { name, error } => {
            return Err(Error::NotFound(format!("plugin {name} can't be used: {error}")));
        }
    }
    Ok(Exit::Completed)
}

/// The schemas of each function by its name.
fn schemas(view: &PluginView) -> BTreeMap<&str, SchemaView<'_>> {
    let functions = view.functions.iter().flatten();
    let schemas = functions.map(|function| {
        let (input, output) = (function.input.as_ref(), function.output.as_ref());
        (function.name.as_str(), SchemaView { input, output })
    });
    schemas.collect()
}

/// Name, version and functions of a plugin, and what is wrong with the next version.
fn described(view: &PluginView) -> String {
    let mut rows = vec![("plugin", view.name.to_string())];
    rows.extend(view.version.clone().map(|version| ("version", version)));
    rows.extend(view.description.clone().map(|description| ("is", description)));
    rows.push(("digest", view.digest.to_string()));
    rows.push(("size", format!("{} bytes", view.bytes)));
    rows.extend(
        view.fault.as_ref().map(|fault| ("new version", format!("can't be used: {fault}"))),
    );
    let mut text = aligned(&rows);
    text.push_str("\n\nfunctions");
    match &view.functions {
        Some(functions) => functions.iter().for_each(|f| text.push_str(&function(f))),
        None => text.push_str("\n  it doesn't describe itself"),
    }
    text
}

impl Inspected {
    fn new(plugin: &Plugin) -> Self {
        let views = |all: &[Interface]| {
            let view = |interface: &Interface| InterfaceView {
                name: interface.name.clone(),
                functions: interface.functions.clone(),
            };
            all.iter().map(view).collect()
        };
        let manifest = plugin.manifest();
        let function_limits = manifest
            .functions
            .keys()
            .map(|name| (name.to_string(), LimitsView::from(&*plugin.terms(Some(name)).limits)));
        Self {
            plugin: plugin.into(),
            imports: views(plugin.imports()),
            exports: views(plugin.exports()),
            signatures: plugin.signatures().into_iter().map(Into::into).collect(),
            config: manifest.config.clone(),
            grants: plugin.grants().into(),
            limits: LimitsView::from(&*plugin.terms(None).limits),
            function_limits: function_limits.collect(),
        }
    }

    fn shown(&self) -> String {
        let mut text = described(&self.plugin);
        text.push_str("\n\nimports");
        for interface in &self.imports {
            let functions = interface.functions.join(", ");
            text.push_str(format!("\n  {}  {functions}", interface.name).trim_end());
        }
        text.push_str("\n\nexports");
        let mut shown = None;
        for SignatureView { interface, function, wit, not_callable } in &self.signatures {
            if let Some(interface) = interface
                && shown != Some(interface)
            {
                text.push_str(&format!("\n  {interface}"));
                shown = Some(interface);
            }
            let indent = if interface.is_some() { "    " } else { "  " };
            text.push_str(&format!("\n{indent}{function}: {wit}"));
            if let Some(why) = not_callable {
                text.push_str(&format!("\n{indent}  no job can call it: {why}"));
            }
        }
        text.push_str("\n\ngranted");
        let grants = self.grants.lines();
        text.push_str(if grants.is_empty() { "\n  nothing beyond what is its own" } else { "" });
        grants.iter().for_each(|line| text.push_str(&format!("\n  {line}")));
        text.push_str("\n\nlimits of an attempt\n");
        text.push_str(&aligned(&limits(&self.limits)));
        for (name, own) in &self.function_limits {
            text.push_str(&format!("\n\nlimits of an attempt of {name}\n"));
            text.push_str(&aligned(&limits(own)));
        }
        text
    }
}

impl From<Signature> for SignatureView {
    fn from(signature: Signature) -> Self {
        let Signature { interface, function, wit, not_callable } = signature;
        Self { interface, function, wit, not_callable }
    }
}

impl From<&Grants> for GrantsView {
    fn from(grants: &Grants) -> Self {
        let cache = grants.cache.iter();
        let secrets = grants.secrets.iter();
        let folders = grants.folders.iter().map(|(name, folder)| {
            let path = folder.path.display().to_string();
            (name.clone(), FolderView { path, access: folder.access.as_str() })
        });
        Self {
            cache: cache.map(|(name, access)| (name.to_string(), access.as_str())).collect(),
            env: grants.env.clone(),
            secrets: secrets.map(|(name, secret)| (name.clone(), secret.to_string())).collect(),
            enqueue: grants.enqueue.iter().map(Target::to_string).collect(),
            folders: folders.collect(),
        }
    }
}

impl GrantsView {
    fn lines(&self) -> Vec<String> {
        let cache = self.cache.iter().map(|(name, access)| format!("bucket {name}: {access}"));
        let env = self.env.iter().map(|(name, value)| format!("variable {name}: {value}"));
        let secrets = self.secrets.iter().map(|(name, from)| format!("secret {name}: {from}"));
        let enqueue = self.enqueue.iter().map(|target| format!("jobs for {target}"));
        let folders = self
            .folders
            .iter()
            .map(|(name, folder)| format!("folder {name}: {} of {}", folder.access, folder.path));
        cache.chain(env).chain(secrets).chain(enqueue).chain(folders).collect()
    }
}

fn function(function: &FunctionView) -> String {
    let takes = match &function.accepts {
        Some(accepts) if accepts.is_empty() => "no input".to_owned(),
        Some(accepts) => accepts.join(" or "),
        None => "anything".to_owned(),
    };
    let returns = function.returns.as_deref().unwrap_or("anything");
    let summary = function.summary.as_deref().unwrap_or_default();
    let first = format!("\n  {}  {summary}", function.name);
    format!("{}\n    takes {takes}, gives {returns}", first.trim_end())
}
