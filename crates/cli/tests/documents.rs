//! The documents name only what is there.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test, also what is not marked as one"
)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap()
}

/// What stands between `open` and the next `close`, each time.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let behind = text.split(open).skip(1);
    behind.filter_map(|rest| rest.split_once(close)).map(|(inside, _)| inside).collect()
}

#[test]
fn every_file_that_the_architecture_names_exists() {
    let architecture = read("ARCHITECTURE.md");
    let inline: Vec<&str> = architecture.split('`').skip(1).step_by(2).collect();
    let files = inline.iter().filter(|text| text.contains('/') && text.contains("src"));
    let files: Vec<_> = files.collect();
    assert!(files.len() > 20, "few files are named: {files:?}");
    for file in files {
        assert!(root().join("crates").join(file).exists(), "ARCHITECTURE.md names {file}");
    }
    assert!(architecture.lines().count() < 300);
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let documents = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/backup.md",
        "docs/cli.md",
        "docs/http.md",
        "docs/postgres.md",
        "docs/settings.md",
        "docs/time.md",
        "docs/worker.md",
    ];
    for document in documents {
        let text = read(document);
        let links = between(&text, "](", ")");
        for link in links.iter().filter(|link| !link.starts_with("http")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let file = root().join(document).parent().unwrap().join(file);
            let target = fs::read_to_string(&file).unwrap_or_else(|_| panic!("{document}: {link}"));
            let heading = heading.replace('-', " ");
            assert!(target.to_lowercase().contains(&heading), "{document}: {link}");
        }
    }
}

#[test]
fn every_setting_is_explained() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_consign"))
        .args(["serve", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let variables = between(&help, "[env: ", "]");
    assert_eq!(variables.len(), 9, "{help}");
    for variable in variables {
        let variable = variable.split('=').next().unwrap();
        for document in ["README.md", "docs/settings.md"] {
            assert!(read(document).contains(&format!("`{variable}`")), "{document}: {variable}");
        }
    }
}
