//! What a new project is made of: the files in `templates/`, with their marks filled in.
//!
//! A mark is a word between `«` and `»`, which occur in no template otherwise.

use std::fmt;

use clap::ValueEnum;
use gristmill::PluginName;

use crate::cli::build::{COMPONENTIZE_PY, COMPONENTIZE_QJS};
use crate::cli::sdk::Sdk;

/// What jobs are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Rust, with cargo
    Rust,
    /// JavaScript, with QuickJS in the component
    Js,
    /// Python, with CPython in the component
    Python,
    /// C, without an SDK beyond the contract's bindings
    C,
}

/// A file of a template: where it goes, and what is in it.
type File = (&'static str, &'static str);

/// The template at this path, under the name that it has in a project.
macro_rules! file {
    ($path:literal as $name:literal) => {
        ($name, include_str!(concat!("../../../templates/", $path)))
    };
}

const COMMON: [File; 2] = [
    file!("common/plugin.toml" as "plugin.toml"),
    file!("common/count.toml" as "cases/count.toml"),
];

// Without its dot, `.gitignore` says nothing about the templates themselves.
const RUST: [File; 6] = [
    file!("rust/Cargo.toml" as "Cargo.toml"),
    file!("rust/README.md" as "README.md"),
    file!("rust/gitignore" as ".gitignore"),
    file!("rust/rust-toolchain.toml" as "rust-toolchain.toml"),
    file!("rust/src/lib.rs" as "src/lib.rs"),
    file!("rust/workflow.yml" as ".github/workflows/plugin.yml"),
];

const JS: [File; 6] = [
    file!("js/README.md" as "README.md"),
    file!("js/gitignore" as ".gitignore"),
    file!("js/package.json" as "package.json"),
    file!("js/src/plugin.js" as "src/plugin.js"),
    file!("js/tests/plugin.test.js" as "tests/plugin.test.js"),
    file!("js/workflow.yml" as ".github/workflows/plugin.yml"),
];

const PYTHON: [File; 7] = [
    file!("python/README.md" as "README.md"),
    file!("python/gitignore" as ".gitignore"),
    file!("python/plugin.py" as "plugin.py"),
    file!("python/pyproject.toml" as "pyproject.toml"),
    file!("python/tests/__init__.py" as "tests/__init__.py"),
    file!("python/tests/test_plugin.py" as "tests/test_plugin.py"),
    file!("python/workflow.yml" as ".github/workflows/plugin.yml"),
];

const C: [File; 9] = [
    file!("c/Makefile" as "Makefile"),
    file!("c/README.md" as "README.md"),
    file!("c/compile_flags.txt" as "compile_flags.txt"),
    file!("c/count.c" as "count.c"),
    file!("c/count.h" as "count.h"),
    file!("c/gitignore" as ".gitignore"),
    file!("c/plugin.c" as "plugin.c"),
    file!("c/tests/count.c" as "tests/count.c"),
    file!("c/workflow.yml" as ".github/workflows/plugin.yml"),
];

/// The words of Rust's own that are names of plugins otherwise, and packages that no crate can be
/// called like.
const NO_CRATES: [&str; 39] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "proc-macro",
    "pub",
    "std",
    "test",
    "true",
    "type",
    "use",
];

impl Language {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [Self::Rust, Self::Js, Self::Python, Self::C];

    /// A file that the SDK's folder has for this language.
    pub(super) fn part_of_sdk(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Js => "js/package.json",
            Self::Python => "python/pyproject.toml",
            Self::C => "c/job.h",
        }
    }

    /// Where a project finds its SDK, and which part of the SDK's folder it is.
    pub(super) fn link(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Rust | Self::C => None,
            Self::Js => Some(("node_modules/gristmill-guest", "js")),
            Self::Python => Some(("vendor/gristmill_guest", "python/gristmill_guest")),
        }
    }

    /// The command that runs a project's unit tests.
    pub(super) fn unit_tests(self) -> &'static str {
        match self {
            Self::Rust => "cargo test",
            Self::Js => "npm test",
            Self::Python => "python3 -m unittest",
            Self::C => "make test",
        }
    }

    /// Where its jobs have the SDK from.
    pub(super) fn shown_sdk(self, sdk: &Sdk) -> String {
        match self {
            Self::C => "the bindings that `gristmill build` brings".to_owned(),
            _ => sdk.to_string(),
        }
    }

    /// The command that brings the SDK, where nothing else does it.
    pub(super) fn install(self, sdk: &Sdk) -> Option<String> {
        match self {
            Self::Rust | Self::C => None,
            Self::Js => Some("npm install".to_owned()),
            Self::Python => {
                Some(format!("python3 -m pip install --target vendor '{}'", sdk.for_pip()))
            }
        }
    }

    /// Why no package of this language can have the name of a plugin.
    pub(super) fn why_no_package(self, name: &str) -> Option<&'static str> {
        match self {
            _ if name == "gristmill-guest" => Some("that is the SDK, which the plugin depends on"),
            Self::Rust if NO_CRATES.contains(&name) => {
                Some("that is a word of Rust's own, and no name of a package")
            }
            _ => None,
        }
    }

    fn files(self) -> &'static [File] {
        match self {
            Self::Rust => &RUST,
            Self::Js => &JS,
            Self::Python => &PYTHON,
            Self::C => &C,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::Js => "JavaScript",
            Self::Python => "Python",
            Self::C => "C",
        })
    }
}

/// The files of a project, each with its path in it.
pub(super) fn render(lang: Language, name: &PluginName, sdk: &Sdk) -> Vec<(&'static str, String)> {
    let (dependency, tool) = match lang {
        Language::Rust => (sdk.for_cargo(), ""),
        Language::Js => (sdk.for_npm(), COMPONENTIZE_QJS),
        Language::Python => (sdk.for_pip(), COMPONENTIZE_PY),
        Language::C => (String::new(), ""),
    };
    let marks = [
        ("«name»", name.as_str()),
        ("«sdk»", &dependency),
        ("«from»", &sdk.to_string()),
        ("«componentize»", tool),
        ("«version»", env!("CARGO_PKG_VERSION")),
    ];
    let fill = |text: &str| {
        marks.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value))
    };
    let files = COMMON.iter().chain(lang.files());
    files.map(|(path, text)| (*path, fill(text))).collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn rendered(lang: Language, sdk: &Sdk) -> Vec<(&'static str, String)> {
        render(lang, &"word-count".parse().unwrap(), sdk)
    }

    fn sdks() -> [Sdk; 2] {
        [Sdk::Folder(PathBuf::from("/sdk folder")), Sdk::of_this_version()]
    }

    #[test]
    fn no_mark_is_left_over() {
        for lang in Language::ALL {
            for (path, text) in sdks().iter().flat_map(|sdk| rendered(lang, sdk)) {
                assert!(!text.contains(['«', '»']), "{lang} {path}: {text}");
                assert!(text.ends_with('\n'), "{lang} {path}");
            }
        }
    }

    #[test]
    fn the_files_that_programs_read_can_be_read() {
        for lang in Language::ALL {
            for (path, text) in sdks().iter().flat_map(|sdk| rendered(lang, sdk)) {
                let is_of = |extension| Path::new(path).extension().is_some_and(|e| e == extension);
                if is_of("toml") {
                    toml::from_str::<toml::Table>(&text).unwrap();
                } else if is_of("json") {
                    serde_json::from_str::<serde_json::Value>(&text).unwrap();
                }
            }
        }
    }

    #[test]
    fn every_file_of_the_templates_belongs_to_a_project() {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut folders = vec![templates];
        let mut found = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found += 1;
                }
            }
        }
        assert_eq!(found, COMMON.len() + RUST.len() + JS.len() + PYTHON.len() + C.len());
    }

    #[test]
    fn a_manifest_names_its_plugin_and_a_workflow_what_it_runs() {
        for lang in Language::ALL {
            let files = rendered(lang, &Sdk::of_this_version());
            let text = |wanted| &files.iter().find(|(path, _)| *path == wanted).unwrap().1;
            assert!(text("plugin.toml").contains("name = \"word-count\""));
            let workflow = text(".github/workflows/plugin.yml");
            for command in ["gristmill build", "gristmill test", lang.unit_tests()] {
                assert!(workflow.contains(&format!("- run: {command}\n")), "{workflow}");
            }
        }
    }
}
