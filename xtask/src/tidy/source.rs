//! A source file, parsed, with what in it is test.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::path::Path;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::failed::Failed;
use crate::shell::root;

/// Where our source lies. A folder that does not exist has nothing in it.
const FOLDERS: [&str; 5] = ["bench", "crates", "examples", "sim", "xtask"];

/// One file.
pub(crate) struct Source {
    /// From the root of the workspace, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) functions: Vec<Function>,
    /// Modules that are declared or written here.
    pub(crate) modules: Vec<(String, usize)>,
    /// The lines of inline test modules and test functions.
    pub(crate) test_lines: HashSet<usize>,
}

/// A function outside the tests, with its lines.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) lines: RangeInclusive<usize>,
}

/// Every source file of the workspace, in the order of their paths.
pub(crate) fn all() -> Result<Vec<Source>, Failed> {
    let mut paths = vec![];
    for folder in FOLDERS {
        walk(&root().join(folder), &mut paths)?;
    }
    paths.sort();
    paths
        .iter()
        .map(|path| Source::parse(path, &std::fs::read_to_string(root().join(path))?))
        .collect()
}

fn walk(folder: &Path, paths: &mut Vec<String>) -> Result<(), Failed> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let path = path.strip_prefix(root()).expect("the walk begins at the root");
            paths.push(path.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}

impl Source {
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, Failed> {
        let file = syn::parse_file(text).map_err(|why| Failed::new(format!("{path}: {why}")))?;
        let mut source = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            functions: vec![],
            modules: vec![],
            test_lines: HashSet::new(),
        };
        Walker { source: &mut source, inside: vec![] }.visit_file(&file);
        Ok(source)
    }

    /// Whether the whole file is test.
    pub(crate) fn is_test(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        parts.contains(&"tests") || self.path.ends_with("/tests.rs")
    }
}

struct Walker<'a> {
    source: &'a mut Source,
    /// The functions around the present place.
    inside: Vec<String>,
}

impl Walker<'_> {
    /// Notes the item's lines if it is a test. Whether it is.
    fn skips(&mut self, attributes: &[syn::Attribute], item: Span) -> bool {
        let test = attributes.iter().any(is_test_mark);
        if test {
            let first = attributes.first().map_or(item, Spanned::span);
            self.source.test_lines.extend(first.start().line..=item.end().line);
        }
        test
    }

    fn enter(&mut self, signature: &syn::Signature, body: Span, go_on: impl FnOnce(&mut Self)) {
        self.inside.push(signature.ident.to_string());
        let lines = signature.span().start().line..=body.end().line;
        self.source.functions.push(Function { name: self.inside.join("::"), lines });
        go_on(self);
        self.inside.pop();
    }
}

impl<'ast> Visit<'ast> for Walker<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !self.skips(&item.attrs, item.span()) {
            self.enter(&item.sig, item.block.span(), |walker| visit::visit_item_fn(walker, item));
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !self.skips(&item.attrs, item.span()) {
            self.enter(&item.sig, item.block.span(), |walker| {
                visit::visit_impl_item_fn(walker, item);
            });
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let Some(body) = &item.default else { return };
        self.enter(&item.sig, body.span(), |walker| visit::visit_trait_item_fn(walker, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !self.skips(&item.attrs, item.span()) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.source.modules.push((item.ident.to_string(), item.ident.span().start().line));
        if !self.skips(&item.attrs, item.span()) {
            visit::visit_item_mod(self, item);
        }
    }
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`.
fn is_test_mark(attribute: &syn::Attribute) -> bool {
    let path = attribute.path();
    let of_test = path.segments.last().is_some_and(|last| last.ident == "test");
    let for_test = path.is_ident("cfg")
        && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"));
    of_test || for_test
}
