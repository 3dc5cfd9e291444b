//! Words are counted alike in every language.

use gristmill_job::Payload;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::{LANGUAGES, payload, plugin, run, sandbox};

/// Texts on which an implementation could differ.
const TEXTS: [&str; 22] = [
    "",
    "\n",
    "one",
    "one two\nthree\n",
    "one\r\ntwo\r\n\r\nthree",
    "  one\t\ttwo\u{b}three\u{c}four  ",
    "b b a a c",
    "Mill, mill! “MILL” (mill) mill don't «don't»",
    "- -- — | = word",
    "漢字 かな\u{3000}カナ",
    "ΟΔΟΣ οδος Σ ΑΣ. ΑΣ'Α Σ\u{301}",
    "İstanbul ISTANBUL ıǅ Straße ﬁ Ⅷ",
    "cafe\u{301} cafe\u{301}, café CAFÉ",
    "a\u{a0}b\u{2007}c\u{202f}d\u{2060}e\u{1680}f\u{2003}g",
    "a\0b \u{1} c\u{1c}d \u{7f} \u{85} e\u{85}f \u{2028} g\u{2028}h\u{2029}i",
    "a\u{200b}b \u{feff} soft\u{ad}hyphen \u{feff}mill mill\u{1}",
    "\u{1d49c} \u{ff21} \u{e000} \u{1f600} z \u{10ffff} \u{fffd}",
    "😀 😀😀 👨‍👩‍👧 x😀x 😀x😀",
    "\u{ffff} \u{fdd0} \u{378}",
    "\"quoted\" back\\slash \u{8}bell\u{1b} /slash/ <tag>",
    "1 1.5 1,5 -1 +1 ½ ² ٣ x² 1st",
    "w01 w02 w03 w04 w05 w06 w07 w08 w09 w10 w11 w12 w13 w14 w15 w16 w17 w18 w19 w20 w21 w22",
];

/// What random texts are made of: parts that meet at random are where rules meet.
const PARTS: [&str; 48] = [
    " ",
    " ",
    " ",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u{a0}",
    "\u{2060}",
    "\u{3000}",
    "\u{2028}",
    "\u{85}",
    "\0",
    "\u{1c}",
    "\u{7f}",
    "a",
    "A",
    "b",
    "B",
    "é",
    "E\u{301}",
    "ß",
    "ẞ",
    "Σ",
    "σ",
    "ς",
    "İ",
    "I",
    "ǅ",
    "ﬁ",
    "漢",
    "\u{301}",
    "\u{200b}",
    "\u{ad}",
    "\u{feff}",
    "'",
    "’",
    "“",
    "-",
    "—",
    ".",
    "€",
    "1",
    "½",
    "😀",
    "\u{1d49c}",
    "\u{ff21}",
    "\u{e000}",
];

/// How many random texts there are.
const RANDOM_TEXTS: usize = 40;

fn random_text(rng: &mut SmallRng) -> String {
    let length = rng.random_range(0..120);
    (0..length).map(|_| PARTS[rng.random_range(0..PARTS.len())]).collect()
}

#[tokio::test]
async fn words_are_counted_alike_in_every_language() {
    let seed: u64 = rand::random();
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
    texts.extend((0..RANDOM_TEXTS).map(|_| random_text(&mut rng)));
    // As much as an input may be.
    texts.push("The mill grinds — slowly, but exceeding small.\r\n".repeat(20_000));
    let sandbox = sandbox();
    let mut plugins = Vec::new();
    for language in LANGUAGES {
        let file = plugin("wordcount", language);
        plugins.push(sandbox.runtime.load_file(&file).await.expect("it loads"));
    }
    for text in &texts {
        let mut reports = Vec::new();
        for plugin in &plugins {
            reports.push(run(&sandbox, plugin, "", Payload::text(text.as_str())).await);
        }
        let [rust, others @ ..] = &reports[..] else { panic!("no plugins") };
        for (plugin, other) in plugins[1..].iter().zip(others) {
            let start: String = text.chars().take(200).collect();
            assert_eq!(payload(other), payload(rust), "{plugin:?}, seed {seed}: {start:?}");
        }
    }
}
