//! From a component to code: kept from another time, or compiled, here or in a process of its own.
//!
//! The engine's authors promise nothing of what compiling a hostile component may take. So a daemon
//! compiles in a child ([`child`]), which the system ends at a bound on its time on a processor, its
//! memory or its time, and goes on. The child keeps resources in bounds and is no wall of its own: what
//! it answers is run, as is what is kept in [`compiled`](crate::compiled).

pub(crate) mod child;

use std::ffi::OsString;
use std::hash::{Hash as _, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gristmill_job::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::blocking::blocking;
use crate::compiled::{Code, CompiledStore};
use crate::config::Config;
use crate::error::LoadError;
use crate::plugin::{Compiled, one_line};

/// Where components are compiled.
#[derive(Debug, Clone, Default)]
pub enum Compiler {
    /// In this process, without bounds: for components that are trusted as much as the program.
    #[default]
    InProcess,
    /// In a process of its own for each component.
    Child(CompilerChild),
}

/// A program that compiles.
#[derive(Debug, Clone)]
pub struct CompilerChild {
    /// The program. It must be built with this version of this library, and call [`compile_child`].
    ///
    /// [`compile_child`]: crate::compile_child
    pub program: PathBuf,
    /// Its arguments; the bounds follow them, as seconds on a processor and as bytes.
    pub arguments: Vec<OsString>,
    /// Its bounds.
    pub limits: CompileLimits,
}

/// What compiling one component may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileLimits {
    /// `cpu`: time on processors, all of them together, in whole seconds: the largest component that is
    /// loaded takes half of it.
    pub cpu: Duration,
    /// `memory`: memory that can be written to, on systems that count it, with what the program's
    /// allocator reserves, which may be 1 GiB. A component of 100,000 functions takes 700 MB.
    pub memory_bytes_max: u64,
    /// `wall`: time from start to end; more than `cpu`, for machines that are busy.
    pub wall: Duration,
    /// `code`: the code's size, which is a few times the component's.
    pub code_bytes_max: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(60),
            memory_bytes_max: 4 << 30,
            wall: Duration::from_secs(120),
            code_bytes_max: 512 << 20,
        }
    }
}

/// How components become code here.
pub(crate) struct Compiling {
    engine: Engine,
    compiler: Compiler,
    compatibility: Compatibility,
    kept: Option<Arc<CompiledStore>>,
}

impl Compiling {
    pub(crate) fn new(engine: &Engine, config: &Config) -> Self {
        let compatibility = Compatibility::of(engine);
        let kept = config.compiled_dir.as_ref();
        let kept = kept.map(|dir| Arc::new(CompiledStore::new(dir.clone(), compatibility)));
        Self { engine: engine.clone(), compiler: config.compiler.clone(), compatibility, kept }
    }

    /// The code of a component of this digest.
    pub(crate) async fn compile(
        &self,
        bytes: Bytes,
        digest: Digest,
    ) -> Result<Compiled, LoadError> {
        let size = bytes.len();
        let component = self.component(bytes, digest).await?;
        Ok(Compiled { component, digest, bytes: size })
    }

    async fn component(&self, bytes: Bytes, digest: Digest) -> Result<Component, LoadError> {
        if let Some(kept) = self.kept.clone() {
            let engine = self.engine.clone();
            let found = blocking(move || kept.component(&engine, digest)).await?;
            if let Some(component) = found {
                return Ok(component);
            }
        }
        let (engine, kept) = (self.engine.clone(), self.kept.clone());
        match &self.compiler {
            Compiler::InProcess => {
                blocking(move || in_process(&engine, &bytes, digest, kept.as_deref())).await?
            }
            Compiler::Child(child) => {
                let code = child::compile(child, self.compatibility, bytes).await?;
                let made = blocking(move || {
                    let component = code.component(&engine);
                    if let (Ok(_), Some(kept)) = (&component, &kept) {
                        kept.keep(digest, &code);
                    }
                    component
                });
                made.await?.map_err(|error| LoadError::Compiler(one_line(&error)))
            }
        }
    }
}

fn in_process(
    engine: &Engine,
    bytes: &[u8],
    digest: Digest,
    kept: Option<&CompiledStore>,
) -> Result<Component, LoadError> {
    let invalid = |error| LoadError::Invalid(one_line(&error));
    let component = Component::new(engine, bytes).map_err(invalid)?;
    if let Some(kept) = kept {
        kept.keep(digest, &Code::of(&component).map_err(invalid)?);
    }
    Ok(component)
}

/// Which engines can run each other's code: version, features and settings, hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compatibility(pub(crate) [u8; 32]);

impl Compatibility {
    pub(crate) fn of(engine: &Engine) -> Self {
        /// Takes whatever is hashed, in 32 bytes rather than eight.
        struct Wide(Sha256);

        impl Hasher for Wide {
            fn write(&mut self, bytes: &[u8]) {
                self.0.update(bytes);
            }

            fn finish(&self) -> u64 {
                // Nobody asks: the whole of it is taken instead.
                0
            }
        }

        let mut wide = Wide(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut wide);
        Self(wide.0.finalize().into())
    }
}
