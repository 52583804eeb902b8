//! What `consign` writes for the shell and for `man`.

use super::Session;

#[test]
fn completions_are_for_the_shell_that_is_named() {
    let mut session = Session::new();
    session
        .types("consign completions --help")
        .types("for shell in bash zsh fish elvish powershell; do consign completions $shell | grep -c late-results; done")
        .types("consign completions bash > consign.bash && bash -n consign.bash && echo sound")
        .types("consign completions csh");
    session.reads_as("completions");
}

#[test]
fn there_is_a_man_page_for_each_subcommand() {
    let mut session = Session::new();
    session
        .types("consign man --help")
        .types("consign man pages/man1 && ls pages/man1")
        .types("grep -c 'Exit codes' pages/man1/consign-watch.1")
        .types("touch file && consign man file/man1")
        .types("consign man");
    session.reads_as("man");
}

#[test]
fn every_subcommand_is_named_in_the_documents() {
    let session = Session::new();
    let help = session.prepares("consign --help");
    let commands = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = commands.lines().filter_map(|line| line.split_whitespace().next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() > 20, "{names:?}");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    for name in names {
        assert!(page.contains(&format!("`consign {name}")), "docs/cli.md does not tell of {name}");
    }
}
