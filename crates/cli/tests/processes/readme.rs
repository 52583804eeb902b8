//! The README's walk-through, run as a reader would run it.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::server::Ledger;

/// The address that the README uses: the default one.
const ADDRESS: &str = "127.0.0.1:7420";
/// Printed between the blocks, so that each block's output can be told from the next.
const BETWEEN: &str = "-- the next block --";

/// A block of commands, and what the README says that they print.
struct Block {
    commands: String,
    prints: String,
}

/// Every `sh` block, each with the `json` block behind it.
fn blocks(readme: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = vec![];
    let mut inside = None;
    for line in readme.lines() {
        match (inside, line) {
            (None, "```sh") => {
                blocks.push(Block { commands: String::new(), prints: String::new() });
                inside = Some("sh");
            }
            (None, "```json") => inside = Some("json"),
            (Some(_), "```") => inside = None,
            (Some(language), line) => {
                let block = blocks.last_mut().expect("commands come before what they print");
                let text = if language == "sh" { &mut block.commands } else { &mut block.prints };
                *text += line;
                *text += "\n";
            }
            (None, _) => {}
        }
    }
    blocks
}

/// Runs the blocks in one shell, as a reader does in one terminal; what each printed.
fn run(blocks: &[Block], address: &str) -> Vec<String> {
    let separator = format!("\necho '{BETWEEN}'\n");
    let script: Vec<&str> = blocks.iter().map(|block| block.commands.as_str()).collect();
    let script = script.join(&separator).replace(ADDRESS, address);
    let mut shell = Command::new("bash")
        .args(["-e", "-u", "-o", "pipefail"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the walk-through needs bash");
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = shell.wait_with_output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "the walk-through needs curl, and failed; it printed:\n{printed}"
    );
    printed.split(BETWEEN).map(str::to_owned).collect()
}

#[test]
fn the_walk_through_of_the_readme_prints_what_it_says() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let blocks = blocks(&fs::read_to_string(readme).unwrap());
    assert!(blocks.len() >= 5, "the walk-through is missing");
    let ledger = Ledger::new();
    let server = ledger.start(5);
    let address = server.url().replace("http://", "");
    let printed = run(&blocks, &address);
    for (Block { commands, prints }, printed) in blocks.iter().zip(printed) {
        let mut rest = printed.as_str();
        for fragment in prints.split(['…', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
            let at = rest.find(fragment);
            let at = at.unwrap_or_else(|| {
                panic!("{fragment} is not in what this printed:\n{commands}\n{printed}")
            });
            rest = &rest[at + fragment.len()..];
        }
    }
}
