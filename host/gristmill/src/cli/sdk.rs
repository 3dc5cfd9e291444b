//! Where a plugin's SDK is from: a folder of this machine, or a language's registry.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::Error;

/// The SDKs of the checkout in which this program was built; they may be gone by now.
const OF_THIS_BUILD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guest-sdk");

/// The folder of the SDKs.
#[derive(Args)]
pub(crate) struct SdkArgs {
    /// Take the SDK from this folder, such as guest-sdk in a checkout of Gristmill: the one for Rust at its
    /// top, those for other languages in js and python
    #[arg(long, value_name = "DIR", env = "GRISTMILL_SDK_PATH", hide_env_values = true)]
    sdk_path: Option<PathBuf>,
}

impl SdkArgs {
    /// The folder that was named, or that of the checkout in which this program was built.
    pub(crate) fn folder(&self) -> Result<Option<PathBuf>, Error> {
        let Some(path) = &self.sdk_path else { return Ok(of_this_build()) };
        let wrong =
            |why: &dyn fmt::Display| Error::Usage(format!("--sdk-path {}: {why}", path.display()));
        let folder = path.canonicalize().map_err(|error| wrong(&error))?;
        let is_quotable =
            |text: &str| !text.contains(['"', '\'', '\\']) && !text.contains(char::is_control);
        if !folder.to_str().is_some_and(is_quotable) {
            return Err(wrong(
                &"a path with quotes or backslashes can't be written into a project",
            ));
        }
        Ok(Some(folder))
    }
}

fn of_this_build() -> Option<PathBuf> {
    let sdk = Path::new(OF_THIS_BUILD).canonicalize().ok()?;
    sdk.join("Cargo.toml").is_file().then_some(sdk)
}

/// Where a project has its SDK from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sdk {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A version in the language's registry.
    Version(String),
}

impl Sdk {
    /// The one that goes with this program.
    pub(crate) fn of_this_version() -> Self {
        Self::Version(env!("CARGO_PKG_VERSION").to_owned())
    }

    /// A version that was asked for.
    pub(crate) fn version(text: &str) -> Result<Self, Error> {
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let mut parts = text.split('.');
        if parts.by_ref().take(3).filter(|part| is_part(part)).count() == 3
            && parts.next().is_none()
        {
            return Ok(Self::Version(text.to_owned()));
        }
        Err(Error::Usage(format!("--sdk-version {text:?} isn't of the form 1.2.3")))
    }

    /// As a dependency in `Cargo.toml`.
    pub(crate) fn for_cargo(&self) -> String {
        match self {
            Self::Folder(folder) => format!("{{ path = \"{}\" }}", folder.display()),
            Self::Version(version) => format!("\"{version}\""),
        }
    }

    /// As a dependency in `package.json`.
    pub(crate) fn for_npm(&self) -> String {
        match self {
            Self::Folder(folder) => format!("file:{}/js", folder.display()),
            Self::Version(version) => version.clone(),
        }
    }

    /// As pip takes it.
    pub(crate) fn for_pip(&self) -> String {
        match self {
            Self::Folder(folder) => format!("gristmill-guest @ {}/python", file_url(folder)),
            Self::Version(version) => format!("gristmill-guest=={version}"),
        }
    }
}

impl fmt::Display for Sdk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "the folder {}", folder.display()),
            Self::Version(version) => write!(f, "version {version} of gristmill-guest"),
        }
    }
}

fn file_url(folder: &Path) -> String {
    let mut url = "file://".to_owned();
    for c in folder.display().to_string().chars() {
        match c {
            ' ' | '%' | '#' | '?' | '[' | ']' => url.push_str(&format!("%{:02X}", u32::from(c))),
            c => url.push(c),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_is_told_where_its_sdk_is() {
        let folder = Sdk::Folder(PathBuf::from("/a b"));
        assert_eq!(folder.for_cargo(), "{ path = \"/a b\" }");
        assert_eq!(folder.for_npm(), "file:/a b/js");
        assert_eq!(folder.for_pip(), "gristmill-guest @ file:///a%20b/python");
        let version = Sdk::version("1.2.3").unwrap();
        assert_eq!(version.for_cargo(), "\"1.2.3\"");
        assert_eq!(version.for_npm(), "1.2.3");
        assert_eq!(version.for_pip(), "gristmill-guest==1.2.3");
    }

    #[test]
    fn a_version_has_three_numbers() {
        for text in ["", "1", "1.2", "1.2.", "1.2.3.4", "1.2.x", "^1.2.3"] {
            assert!(Sdk::version(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_sdk_of_its_own_checkout_is_found() {
        let sdk = SdkArgs { sdk_path: None }.folder().unwrap().unwrap();
        assert!(sdk.join("js/package.json").is_file(), "{}", sdk.display());
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let args = SdkArgs { sdk_path: Some(PathBuf::from("no/such")) };
        assert!(args.folder().unwrap_err().to_string().starts_with("--sdk-path no/such: "));
    }
}
