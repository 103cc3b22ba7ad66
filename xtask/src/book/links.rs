//! Links of documents: that what they lead to is there.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::document::Document;

/// What is wrong with links, and how many were looked at.
pub(crate) fn check(documents: &[Document], is_there: impl Fn(&Path) -> bool) -> (Vec<String>, usize) {
    let by_path: BTreeMap<&Path, &Document> = documents.iter().map(|of| (&*of.path, of)).collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in documents {
        for (line, link) in &document.links {
            let place = format!("{}:{line}", document.path.display());
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let (file, anchor) = link.split_once('#').map_or((&**link, None), |(file, at)| (file, Some(at)));
            let folder = document.path.parent().unwrap_or(Path::new(""));
            let to = if file.is_empty() { document.path.clone() } else { normal(&folder.join(file)) };
            if !is_there(&to) {
                wrong.push(format!("{place}: {link} leads nowhere"));
            } else if leaves_the_book(&document.path, &to) {
                wrong.push(format!(
                    "{place}: {link} leads out of docs/, where the book cannot follow: write the path"
                ));
            } else if let Some(anchor) = anchor
                && by_path.get(&*to).is_none_or(|of| !of.anchors.contains(anchor))
            {
                wrong.push(format!("{place}: {} has no heading #{anchor}", to.display()));
            }
        }
    }
    (wrong, count)
}

/// Pages of docs/ that are in no table of contents, which no reader of the book would see.
pub(crate) fn without_a_place(documents: &[Document]) -> Vec<String> {
    let contents = documents.iter().find(|document| document.path == Path::new(CONTENTS));
    let listed: Vec<PathBuf> = contents
        .into_iter()
        .flat_map(|contents| &contents.links)
        .map(|(_, link)| normal(&Path::new("docs").join(link)))
        .collect();
    documents
        .iter()
        .filter(|of| in_the_book(&of.path) && of.path != Path::new(CONTENTS) && !listed.contains(&of.path))
        .map(|of| format!("{} is not in {CONTENTS}", of.path.display()))
        .collect()
}

fn in_the_book(path: &Path) -> bool {
    path.starts_with("docs")
}

fn leaves_the_book(from: &Path, to: &Path) -> bool {
    in_the_book(from) && !in_the_book(to)
}

/// Without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

const CONTENTS: &str = "docs/SUMMARY.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let documents = [
            Document::new("docs/a.md".into(), "# Here\n[b](b.md#there) [c](c.md) [d](#here) [e](#nowhere)\n"),
            Document::new(
                "docs/b.md".into(),
                "# There\n[x](https://example.com/nowhere) [y](../README.md)\n",
            ),
            Document::new("README.md".into(), "[a](docs/a.md#nowhere) [b](./docs/x/../b.md)\n"),
            Document::new("docs/SUMMARY.md".into(), "[a](a.md)\n"),
        ];
        let there = |path: &Path| documents.iter().any(|of| of.path == path);
        let (wrong, count) = check(&documents, there);
        assert_eq!(
            wrong,
            [
                "docs/a.md:2: c.md leads nowhere",
                "docs/a.md:2: docs/a.md has no heading #nowhere",
                "docs/b.md:2: ../README.md leads out of docs/, where the book cannot follow: write the path",
                "README.md:1: docs/a.md has no heading #nowhere",
            ]
        );
        assert_eq!(count, 8);
        assert_eq!(without_a_place(&documents), ["docs/b.md is not in docs/SUMMARY.md"]);
    }
}
