//! Compiled code that is kept from one start to the next.
//!
//! Code is run as it is, outside of any sandbox: whoever can put code here, can do what this process can.
//! What is trusted, and why:
//!
//! - **What this program's compiler made**, here or in a child: it is as trusted as the compiler.
//! - **What was kept in a folder that only this user can write to.** The folder is made for its owner
//!   alone; one that belongs to somebody else, or that others may write to, isn't used. A file is opened
//!   once, must be a regular one of this user's that nobody else may write to, and is read to memory
//!   that is private; what was checked there is what is run, whatever becomes of the file.
//! - **A seal finds what was altered**, cut off or given another's name: a SHA-256 over the engine's
//!   compatibility, the component's digest and the code. It has no key: whoever could read a key could
//!   write the folder as well, since both belong to this user. It is there against faults of disks and
//!   programs, and it stands before anything is made of the bytes.
//!
//! So the folder protects from other users, and from damage. It doesn't protect from programs of the
//! same user, who may as well change the plugins, or this program.

mod folder;
mod seal;

use std::path::PathBuf;

use bytes::Bytes;
use gristmill_job::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use self::folder::Folder;
use crate::compile::Compatibility;

/// Code that may be run: of our own compiler, or sealed by us and kept where nobody else can write.
pub(crate) struct Code(Bytes);

impl Code {
    /// The code of a component that was compiled here.
    pub(crate) fn of(component: &Component) -> wasmtime::Result<Self> {
        component.serialize().map(|code| Self(Bytes::from(code)))
    }

    /// What a compiler in a child has answered.
    pub(crate) fn from_compiler(code: Bytes) -> Self {
        Self(code)
    }

    /// Makes it what can be run. The engine refuses what another version made.
    #[expect(unsafe_code, reason = "the engine can't tell good code from bad; this type can")]
    pub(crate) fn component(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: the bytes must be what `Component::serialize` gave, unaltered. A `Code` is made in
        // three places: from `serialize` itself, from the answer of our own compiler's process, and in
        // `CompiledStore::code`, after the seal over private memory was checked. Nothing changes them
        // after that.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}

/// Code in a folder, by component and engine.
pub(crate) struct CompiledStore {
    dir: PathBuf,
    compatibility: Compatibility,
}

impl CompiledStore {
    pub(crate) fn new(dir: PathBuf, compatibility: Compatibility) -> Self {
        Self { dir, compatibility }
    }

    /// What was kept of a component, if it is there and sound.
    pub(crate) fn component(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let code = self.code(digest)?;
        match code.component(engine) {
            Ok(component) => Some(component),
            Err(error) => {
                self.reject(digest, &format!("{error:#}"));
                None
            }
        }
    }

    fn code(&self, digest: Digest) -> Option<Code> {
        let name = self.name(digest);
        let read = Folder::open(&self.dir).and_then(|folder| folder.read(&name));
        match read {
            Ok(bytes) => match seal::open(bytes, self.compatibility, digest) {
                Ok(code) => Some(Code(code)),
                Err(why) => {
                    self.reject(digest, why);
                    None
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                let dir = self.dir.display();
                tracing::warn!("compiled code in {dir} can't be used: {error}");
                None
            }
        }
    }

    /// Keeps code. Where that can't be, the plugin serves all the same, and is compiled anew next time.
    pub(crate) fn keep(&self, digest: Digest, code: &Code) {
        let sealed = seal::header(&code.0, self.compatibility, digest);
        let kept = Folder::open(&self.dir)
            .and_then(|folder| folder.write(&self.name(digest), &[&sealed, &code.0]));
        if let Err(error) = kept {
            let dir = self.dir.display();
            tracing::warn!(
                "compiled code can't be kept in {dir}: {error}; it stays in memory alone"
            );
        }
    }

    fn reject(&self, digest: Digest, why: &str) {
        let name = self.name(digest);
        tracing::warn!(
            "compiled code is rejected, and compiled anew: {}/{name} {why}",
            self.dir.display()
        );
        // It will be overwritten anyway; until then, nobody should look at it again.
        let _ = Folder::open(&self.dir).and_then(|folder| folder.remove(&name));
    }

    fn name(&self, digest: Digest) -> String {
        // Half of each tells them apart; the seal has the whole.
        let half =
            |bytes: &[u8]| bytes[..16].iter().map(|b| format!("{b:02x}")).collect::<String>();
        format!("{}-{}", half(digest.as_bytes()), half(&self.compatibility.0))
    }
}
