//! Inputs of functions with types of their own.

use std::sync::OnceLock;

use gristmill_job::{Outcome, Payload, PluginName, media};
use gristmill_runtime::{Allocator, Config, Plugin};
use gristmill_tests::{Sandbox, a_job};
use serde_json::Value;
use tokio::runtime::Runtime;

/// What a refusal may say.
const REFUSAL_BYTES_MAX: usize = 8 << 10;

struct Host {
    threads: Runtime,
    sandbox: Sandbox,
    plugin: Plugin,
}

/// An input, whose first byte picks its form, is refused with a reason in one line, or the function takes
/// it; what a function that gives back its argument answers, it takes again and answers the same.
///
/// # Panics
/// It isn't so.
pub fn arguments(data: &[u8]) {
    static HOST: OnceLock<Host> = OnceLock::new();
    let host = HOST.get_or_init(Host::new);
    let Some((form, data)) = data.split_first() else { return };
    let forms = [media::JSON, media::WAVE, media::TEXT, media::BYTES];
    let content_type = forms[usize::from(*form) % forms.len()].to_owned();
    let input = Payload { content_type, data: data.to_vec().into() };
    for function in ["echo", "text", "bytes"] {
        host.check(function, input.clone());
    }
}

impl Host {
    fn new() -> Self {
        let threads = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let threads = threads.expect("a runtime");
        // Instances have their own mappings: a pool would take address space that a sanitizer needs.
        let allocator = Some(Allocator::OnDemand);
        let sandbox = Sandbox::with_config(Config { slots: 1, allocator, ..Config::default() });
        let name = PluginName::new("typed").expect("a name");
        let component = include_str!("arguments.wat").as_bytes();
        let loading = sandbox.runtime.load(name, component.to_vec().into());
        let plugin = threads.block_on(loading).expect("our own component");
        Self { threads, sandbox, plugin }
    }

    fn check(&self, function: &str, input: Payload) {
        if let Err(refusal) = self.plugin.check(&a_job("typed", function, input.clone())) {
            let text = refusal.message;
            assert!(!text.is_empty() && text.len() <= REFUSAL_BYTES_MAX, "{text}");
            return;
        }
        let first = self.answer(function, input);
        if first.content_type == media::JSON {
            let value: Value = serde_json::from_slice(&first.data).expect("JSON");
            let again = self.answer(function, Payload::json(&Value::Array(vec![value])));
            assert_eq!(again, first, "it isn't the same a second time");
        }
    }

    fn answer(&self, function: &str, input: Payload) -> Payload {
        let attempt = self.sandbox.attempt(&self.plugin, a_job("typed", function, input), 1, None);
        match self.threads.block_on(attempt).outcome {
            Outcome::Completed { result: Some(result) } => result,
            other => panic!("what fits is answered: {other:?}"),
        }
    }
}
