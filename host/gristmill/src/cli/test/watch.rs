//! `gristmill test --watch`: once more, whenever something has changed that the cases are about.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gristmill::cases::Project;
use gristmill::runtime::FolderWatch;

use super::{Args, once};
use crate::cli::error::{Error, one_line};
use crate::cli::exit::Exit;
use crate::cli::output;

/// Runs until somebody interrupts it; where there is nothing to run at first is an error.
pub(super) async fn run(args: &Args) -> Result<Exit, Error> {
    let mut folders = folders(args, &args.find()?);
    loop {
        // Watched first and run then: what is written meanwhile is heard of.
        let watch = FolderWatch::new(&folders)
            .map_err(|error| Error::Usage(format!("the folders can't be watched: {error}")))?;
        let (projects, ended) = once(args).await;
        told(ended)?;
        folders.extend(self::folders(args, &projects));
        output::note("waiting for a change; Ctrl-C ends it");
        watch.changed().await;
    }
}

/// Where components, manifests and cases are.
fn folders(args: &Args, projects: &[Project]) -> BTreeSet<PathBuf> {
    let files = projects.iter().flat_map(|project| {
        [&project.component, &project.manifest].into_iter().chain(&project.files)
    });
    let folders = files.filter_map(|file| file.parent()).map(Path::to_owned);
    let folders = folders.chain(args.plugins.iter().cloned());
    folders.filter(|folder| folder.is_dir()).collect()
}

/// What goes wrong is told, and may be mended.
fn told(ended: Result<Exit, Error>) -> Result<(), Error> {
    match ended {
        Err(error @ Error::Output(_)) => Err(error),
        Err(error) => {
            output::complain(&one_line(&error));
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}
