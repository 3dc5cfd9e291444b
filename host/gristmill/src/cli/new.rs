//! `gristmill new`: from nothing to a plugin with a job, tests and a manifest.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gristmill::PluginName;

use super::error::Error;
use super::exit::Exit;
use super::output;
use super::sdk::{Sdk, SdkArgs};

mod template;

pub(crate) use self::template::Language;

/// Make a project of a new plugin: a job, its tests, a manifest and a workflow for CI
///
/// The project stands by itself, in a folder of its own. Its SDK is the one in the folder of --sdk-path, or of
/// --sdk-version in the language's registry. Without either, it is the one of the checkout in which this
/// program was built, if there is one, else the registry's of this program's version.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  gristmill new resize --lang rust
  gristmill new resize --lang python --dir work/resize --sdk-path gristmill/guest-sdk

Then, in the project's folder:
  gristmill build
  gristmill run resize --input 'to be or not to be'")]
pub(crate) struct Args {
    /// The plugin's name: lower-case letters, digits and -
    name: String,
    /// What its jobs are written in
    #[arg(long, value_name = "LANGUAGE", value_enum)]
    lang: Language,
    /// The project's folder, which is made, or is there and empty [default: NAME]
    #[arg(long, value_name = "PATH")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    sdk: SdkArgs,
    /// Take this version of the SDK from the language's registry; wins over --sdk-path
    #[arg(long, value_name = "V", env = "GRISTMILL_SDK_VERSION", hide_env_values = true)]
    sdk_version: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Error> {
    let name = named(&args.name, args.lang)?;
    let sdk = match &args.sdk_version {
        Some(version) => Sdk::version(version)?,
        None => match args.sdk.folder()? {
            Some(folder) => Sdk::Folder(folder),
            None => Sdk::of_this_version(),
        },
    };
    if let Sdk::Folder(folder) = &sdk {
        let part = args.lang.part_of_sdk();
        if !folder.join(part).is_file() {
            return Err(Error::Usage(format!(
                "--sdk-path {}: it has no {part}, so it isn't Gristmill's folder guest-sdk",
                folder.display()
            )));
        }
    }
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    let files = template::render(args.lang, &name, &sdk);
    make(&dir, &files).and_then(|()| link_sdk(args.lang, &dir, &sdk)).map_err(|error| {
        Error::Usage(format!("the project {} can't be written: {error}", dir.display()))
    })?;
    output::text(&told(args.lang, &name, &dir, &sdk))?;
    Ok(Exit::Completed)
}

/// The name, where it is one for both a plugin and a package of the language.
fn named(text: &str, lang: Language) -> Result<PluginName, Error> {
    let name = PluginName::new(text).map_err(|error| Error::Usage(error.to_string()))?;
    match lang.why_no_package(name.as_str()) {
        Some(why) => Err(Error::Usage(format!("NAME {text:?}: {why}"))),
        None => Ok(name),
    }
}

/// Writes the files into the folder, in which there must be nothing yet.
fn make(dir: &Path, files: &[(&str, String)]) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    if std::fs::read_dir(dir)?.next().is_some() {
        let why = "there is something in this folder already; name an empty one with --dir";
        return Err(std::io::Error::other(why));
    }
    for (path, text) in files {
        let path = dir.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// Does what the language's installer would do with an SDK in a folder, so that tests find it at once.
fn link_sdk(lang: Language, dir: &Path, sdk: &Sdk) -> std::io::Result<()> {
    let (Sdk::Folder(folder), Some((place, of))) = (sdk, lang.link()) else { return Ok(()) };
    let place = dir.join(place);
    if let Some(parent) = place.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::os::unix::fs::symlink(folder.join(of), place)
}

fn told(lang: Language, name: &PluginName, dir: &Path, sdk: &Sdk) -> String {
    let from = lang.shown_sdk(sdk);
    let mut text = format!("{}: a plugin in {lang}; its SDK is {from}\n", dir.display());
    let tests = lang.unit_tests();
    let mut step = |command: &str, what: &str| {
        let _ = write!(text, "\n  {command:48}  {what}");
    };
    step(&format!("cd {}", dir.display()), "");
    if let (Sdk::Version(_), Some(install)) = (sdk, lang.install(sdk)) {
        step(&install, "the SDK, once");
    }
    step(tests, "its unit tests, natively");
    step("gristmill build", &format!("target/plugins/{name}.wasm, checked"));
    step("gristmill test", "its cases, in the sandbox");
    step(&format!("gristmill run {name} --input 'to be or not to be'"), "");
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(name: &str, lang: Language, says: &str) {
        let error = named(name, lang).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }

    #[test]
    fn a_name_is_one_of_a_plugin_and_of_a_package() {
        for lang in Language::ALL {
            assert!(named("word-count2", lang).is_ok());
            check_refused("Word_Count", lang, "lower-case");
            check_refused("gristmill-guest", lang, "the SDK");
        }
        check_refused("match", Language::Rust, "a word of Rust's own");
        assert!(named("match", Language::Js).is_ok());
    }

    #[test]
    fn nothing_is_written_where_there_is_something() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("notes"), "mine").unwrap();
        let error = make(dir.path(), &[("notes", "theirs".to_owned())]).unwrap_err();
        assert!(error.to_string().contains("already"), "{error}");
        assert_eq!(std::fs::read_to_string(dir.path().join("notes")).unwrap(), "mine");
    }
}
