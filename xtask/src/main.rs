//! The project's own commands: `cargo xtask test | check | tidy | bench`.

mod check;
mod failed;
mod needs;
mod shell;
mod tally;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use failed::Failed;

const HELP: &str = "\
cargo xtask test [ARGS]    every test of the workspace, doc tests included; with ARGS: what they select
cargo xtask check          everything that CI runs: fmt, tidy, clippy, rustdoc, machete, deny, test
cargo xtask tidy           sizes, names, marks and layers of the source
cargo xtask bench [ARGS]   the measurements, in a release build";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = args.split_first().map_or(("", &[][..]), |(c, rest)| (c.as_str(), rest));
    let rest = rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest);
    match run(command, rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("xtask: {failed}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, args: &[String]) -> Result<(), Failed> {
    match command {
        "test" => test::test(args)?.verdict(),
        "check" => check::check(),
        "tidy" => tidy::tidy(),
        "bench" => bench(args),
        "" | "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => Err(Failed::new(format!("there is no command {other:?}\n{HELP}"))),
    }
}

/// The server that is measured is the real one, built the same way.
fn bench(args: &[String]) -> Result<(), Failed> {
    let packages = ["--package", "consign-cli", "--package", "consign-bench"];
    shell::cargo(["build", "--release", "--locked"]).args(packages).run()?;
    shell::program(shell::root().join("target/release/consign-bench")).args(args).run()
}
