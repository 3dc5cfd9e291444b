//! What can go wrong that isn't the guest's doing, and why a component can't be used.

use gristmill_job::Digest;

use crate::manifest::Fault;

/// The host is unwell: the attempt counts as nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The pool has no slot left: more attempts were started than `Config::slots`.
    #[error("no slot is free in the pool")]
    NoFreeSlot(#[source] anyhow::Error),
    /// The engine can't be set up.
    #[error("the engine can't be set up")]
    Engine(#[source] anyhow::Error),
    /// The engine contradicts itself: stop taking jobs.
    #[error("the engine failed")]
    Bug(#[source] anyhow::Error),
}

/// Why a component can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("{path} can't be read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No plugin of this name is in the plugins folder.
    #[error("no plugin {name:?} in {dir}: expected the file {name}.wasm there")]
    NotFound {
        /// The name.
        name: String,
        /// The folder.
        dir: String,
    },
    /// The file's stem is no plugin name.
    #[error("{0}")]
    Name(#[from] gristmill_job::InvalidName),
    /// The file is larger than any component may be.
    #[error("{bytes} bytes are more than a component may have ({max})")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// The file is something else.
    #[error("this is no WebAssembly component, but {0}")]
    NotAComponent(&'static str),
    /// The component is broken, or uses features that are switched off here.
    #[error("the component is invalid: {0}")]
    Invalid(String),
    /// The component needs something that nobody offers.
    #[error(
        "the component imports {import:?}, which this host doesn't offer; it offers {}",
        "gristmill:job@0.1, WASI 0.2, and of wasi:keyvalue 0.2.0-draft and 0.2.0-draft2"
    )]
    MissingImport {
        /// What it needs.
        import: String,
    },
    /// The component imports something that is offered in another form.
    #[error("the component's imports don't fit this host: {0}")]
    WrongImport(String),
    /// The component exports the contract's door with other types.
    #[error("the component exports {export} as {found}, where the contract has {expected}")]
    WrongExport {
        /// What it exports.
        export: String,
        /// Its types.
        found: String,
        /// Those of the contract.
        expected: &'static str,
    },
    /// The component has nothing that a job could call.
    #[error(
        "nothing in the component can be called: it exports {exports}, but neither \
         gristmill:job/handler@0.1.0 nor a function of plain values"
    )]
    NothingToCall {
        /// What it does export.
        exports: String,
    },
    /// The component asks for more from its start than its limits allow.
    #[error("the component needs {needs} of {limit}, but is allowed {allowed}")]
    AboveLimit {
        /// The limit's name.
        limit: &'static str,
        /// What it needs.
        needs: u64,
        /// What it is allowed.
        allowed: u64,
    },
    /// The component can't describe itself.
    #[error("the component's description can't be used: {0}")]
    Description(String),
    /// The manifest beside the component is faulty.
    #[error("the manifest {path} can't be used: {}", listed(faults))]
    Manifest {
        /// The manifest's file.
        path: String,
        /// Everything that is wrong with it.
        faults: Vec<Fault>,
    },
    /// The manifest says that it is another plugin's.
    #[error("the manifest is that of the plugin {said:?}, but the component goes by {name:?}")]
    OtherName {
        /// The name in the manifest.
        said: String,
        /// The name that the plugin goes by.
        name: String,
    },
    /// The manifest has rules for a function that the plugin doesn't have.
    #[error(
        "the manifest has a table functions.{function}, but the plugin's functions are {known}"
    )]
    UnknownFunction {
        /// The function.
        function: String,
        /// Those that there are.
        known: String,
    },
    /// Compiling the component took more than it may.
    #[error("compiling the component takes more than {allowed} ({limit}), and was ended")]
    CompileLimit {
        /// The limit's name: `cpu`, `memory`, `wall` or `code`.
        limit: &'static str,
        /// What it is allowed.
        allowed: String,
    },
    /// The compiler itself failed.
    #[error("the compiler failed: {0}")]
    Compiler(String),
    /// Another version of the plugin is here than the one that is wanted.
    #[error("plugin {name} is here as {here}, not as {wanted}")]
    OtherVersion {
        /// The plugin's name.
        name: String,
        /// The digest that is wanted.
        wanted: Digest,
        /// The digest of the version that serves.
        here: Digest,
    },
    /// The files are those that couldn't be used the last time, for this reason.
    #[error("{0}")]
    AsBefore(String),
    /// The fleet's shelf doesn't give it.
    #[error(transparent)]
    Shelf(Box<gristmill_shelf::Error>),
    /// The host is unwell.
    #[error(transparent)]
    Host(#[from] Error),
}

impl From<gristmill_shelf::Error> for LoadError {
    fn from(error: gristmill_shelf::Error) -> Self {
        Self::Shelf(Box::new(error))
    }
}

/// Faults in one line: errors are read in terminals and logs.
fn listed(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl LoadError {
    /// Whether it is the state of a server alone, and the same may go well in a moment.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Shelf(error) if error.is_passing())
    }

    /// Whether the same files will fail in the same way. A plugin that can't describe itself may just have
    /// been given too little time by a busy machine.
    pub(crate) fn is_of_the_files(&self) -> bool {
        use LoadError as E;
        !matches!(
            self,
            E::Unreadable { .. } | E::Host(_) | E::Compiler(_) | E::Description(_) | E::Shelf(_)
        )
    }

    /// Whether the same component will fail in the same way, whatever its manifest says and however busy
    /// the machine is.
    pub(crate) fn is_of_the_component(&self) -> bool {
        use LoadError as E;
        let may_pass = matches!(
            self,
            E::AboveLimit { .. }
                | E::Manifest { .. }
                | E::OtherName { .. }
                | E::UnknownFunction { .. }
                | E::CompileLimit { limit: "wall", .. }
        );
        self.is_of_the_files() && !may_pass
    }
}
