//! A Markdown file, taken apart: anchors, links and blocks of code, each with its line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};

/// What a Markdown file has that can be wrong.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// From the root of the repository.
    pub(crate) path: PathBuf,
    /// Where links can lead to, as GitHub and mdBook name headings.
    pub(crate) anchors: BTreeSet<String>,
    /// The line and where it leads to, of links and of pictures.
    pub(crate) links: Vec<(usize, String)>,
    pub(crate) blocks: Vec<Block>,
}

/// A block of code.
#[derive(Debug)]
pub(crate) struct Block {
    /// The line of its first line of code.
    pub(crate) line: usize,
    /// What stands behind the fence.
    pub(crate) language: String,
    pub(crate) text: String,
}

impl Document {
    pub(crate) fn new(path: PathBuf, text: &str) -> Self {
        let mut document = Self { path, ..Self::default() };
        let mut seen = BTreeMap::new();
        let mut heading: Option<String> = None;
        let mut block: Option<Block> = None;
        let line = |at: usize| 1 + text[..at].matches('\n').count();
        for (event, place) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let slug = slug(&heading.take().unwrap_or_default());
                    document.anchors.insert(numbered(slug, &mut seen));
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push((line(place.start), dest_url.into_string()));
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let (language, first) = match kind {
                        CodeBlockKind::Fenced(language) => (language, 1),
                        CodeBlockKind::Indented => (CowStr::from(""), 0),
                    };
                    let language = language.into_string();
                    block = Some(Block { line: line(place.start) + first, language, text: String::new() });
                }
                Event::End(TagEnd::CodeBlock) => document.blocks.extend(block.take()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(block) = &mut block {
                        block.text.push_str(&text);
                    } else if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        document
    }
}

/// The anchor of a heading: lower case, `-` for spaces, without punctuation.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

/// The second heading of a name has `-1`, and so on.
fn numbered(slug: String, seen: &mut BTreeMap<String, usize>) -> String {
    let before = seen.entry(slug.clone()).or_default();
    *before += 1;
    if *before == 1 { slug } else { format!("{slug}-{}", *before - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_links_and_blocks_are_found_with_their_lines() {
        let text = "# One, `two`: three!\n\n[a](b.md#c) ![d](e.svg)\n\n```sh\nls # all\n```\n\n## Same\n## Same\n\n    indented\n";
        let document = Document::new("x.md".into(), text);
        assert_eq!(document.anchors.iter().collect::<Vec<_>>(), ["one-two-three", "same", "same-1"]);
        assert_eq!(document.links, [(3, "b.md#c".into()), (3, "e.svg".into())]);
        let blocks: Vec<_> = document.blocks.iter().map(|b| (b.line, &*b.language, &*b.text)).collect();
        assert_eq!(blocks, [(6, "sh", "ls # all\n"), (12, "", "indented\n")]);
    }

    #[test]
    fn links_in_code_are_none() {
        let document = Document::new("x.md".into(), "`[a](b)`\n\n```text\n[c](d)\n```\n");
        assert_eq!(document.links, []);
    }
}
