//! Uses what a manifest may grant.

use std::{collections::BTreeMap, env, fs, io};

use gristmill_guest::prelude::*;
use serde::Deserialize;

/// What to try.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Plan {
    variables: Vec<String>,
    secrets: Vec<String>,
    /// Log each secret, note it as progress, and fail with it.
    tell: bool,
    read: Vec<String>,
    write: Vec<String>,
    /// Functions, of other plugins as `plugin/function`.
    enqueue: Vec<String>,
}

/// What came of it: values, or errors in words.
type Answers = BTreeMap<String, Result<String, String>>;

/// Tries what it is told to, and goes on after a refusal.
#[job]
fn granted(ctx: &Ctx, input: Plan) -> JobResult<Answers> {
    let mut answers = Answers::new();
    for name in input.variables {
        answers.insert(name.clone(), env::var(&name).map_err(|error| error.to_string()));
    }
    for name in input.secrets {
        let secret = ctx.secret(&name).map_err(|error| error.to_string());
        if let (true, Ok(secret)) = (input.tell, &secret) {
            ctx.info(format_args!("the secret is {secret}"));
            println!("{secret}, printed");
            ctx.progress_note(1, None, secret);
            bail_fatal!("it was {secret}");
        }
        answers.insert(name, secret);
    }
    for path in input.read {
        answers.insert(path.clone(), kind(fs::read_to_string(&path)));
    }
    for path in input.write {
        answers.insert(path.clone(), kind(fs::write(&path, "written").map(|()| String::new())));
    }
    for function in input.enqueue {
        let verdict = ctx.enqueue([NewJob::new(&function, &())?]);
        let verdict = verdict.map(|verdicts| format!("{:?}", verdicts[0].accepted().is_some()));
        answers.insert(function, verdict.map_err(|error| error.to_string()));
    }
    Ok(answers)
}

fn kind(result: io::Result<String>) -> Result<String, String> {
    result.map_err(|error| format!("{:?}", error.kind()))
}

gristmill_guest::export!(granted);
