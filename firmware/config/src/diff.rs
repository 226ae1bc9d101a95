//! What differs between two printed configurations, as a person reads it.
//!
//! Lines are compared together with the block they stand in, so a member moved from one object to
//! another shows as taken out here and put in there. Lines that occur once on both sides anchor the
//! comparison (patience diff); between two anchors whatever is left was removed and added. The work is
//! O(n log n) in the number of lines, so ten thousand lines are compared in milliseconds.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// How a line stands in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// On both sides; shown because changed lines stand below it.
    Context,
    /// Only on the old side.
    Removed,
    /// Only on the new side.
    Added,
}

impl Change {
    /// The character before the line.
    #[must_use]
    pub const fn mark(self) -> char {
        match self {
            Self::Context => ' ',
            Self::Removed => '-',
            Self::Added => '+',
        }
    }
}

/// Compares two texts line by line. Separators (`!`), comments and blank lines are left out.
///
/// Returns the changed lines in order, each below the lines of its block.
#[must_use]
pub fn diff<'t>(
    old: impl IntoIterator<Item = &'t str>,
    new: impl IntoIterator<Item = &'t str>,
) -> Vec<(Change, &'t str)> {
    let (old, new) = (nested(old), nested(new));
    let kept = anchors(&old, &new);
    let mut out = Out::default();
    let (mut from, mut to) = (0, 0);
    for (old_at, new_at) in kept.into_iter().chain([(old.len(), new.len())]) {
        for line in old.get(from..old_at).unwrap_or_default() {
            out.push(Change::Removed, line);
        }
        for line in new.get(to..new_at).unwrap_or_default() {
            out.push(Change::Added, line);
        }
        (from, to) = (old_at + 1, new_at + 1);
    }
    out.lines
}

/// A line with the lines of its block above it, outermost first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Nested<'t> {
    above: Vec<&'t str>,
    text: &'t str,
}

fn nested<'t>(lines: impl IntoIterator<Item = &'t str>) -> Vec<Nested<'t>> {
    let mut above: Vec<&'t str> = Vec::new();
    let mut out = Vec::new();
    for line in lines {
        let text = line.trim_end();
        let depth = text.len() - text.trim_start_matches(' ').len();
        if text.is_empty() || text.starts_with(['!', ':']) {
            continue;
        }
        above.truncate(depth);
        out.push(Nested {
            above: above.clone(),
            text,
        });
        // One blank more is one level deeper; a line that skips a level stands at the one it can.
        if above.len() == depth {
            above.push(text);
        }
    }
    out
}

/// Pairs of equal lines, rising on both sides.
fn anchors(old: &[Nested<'_>], new: &[Nested<'_>]) -> Vec<(usize, usize)> {
    let mut kept = Vec::new();
    // Ranges still to be compared; a stack of our own, as nesting depends on the texts.
    let mut open = vec![(0..old.len(), 0..new.len())];
    while let Some((mut a, mut b)) = open.pop() {
        while !a.is_empty() && !b.is_empty() && old.get(a.start) == new.get(b.start) {
            kept.push((a.start, b.start));
            a.start += 1;
            b.start += 1;
        }
        while !a.is_empty() && !b.is_empty() && old.get(a.end - 1) == new.get(b.end - 1) {
            a.end -= 1;
            b.end -= 1;
            kept.push((a.end, b.end));
        }
        if a.is_empty() || b.is_empty() {
            continue;
        }
        let unique = rising(unique_pairs(old, new, &a, &b));
        if unique.is_empty() {
            continue;
        }
        let (mut from, mut to) = (a.start, b.start);
        for &(x, y) in &unique {
            open.push((from..x, to..y));
            (from, to) = (x + 1, y + 1);
        }
        open.push((from..a.end, to..b.end));
        kept.extend(unique);
    }
    kept.sort_unstable();
    kept
}

/// Lines that occur once in each range, by their place in the old one.
fn unique_pairs(
    old: &[Nested<'_>],
    new: &[Nested<'_>],
    a: &Range<usize>,
    b: &Range<usize>,
) -> Vec<(usize, usize)> {
    /// Where a line is; `None` if it is at several places.
    type Places<'l> = BTreeMap<&'l Nested<'l>, (Option<usize>, Option<usize>)>;
    let mut places = Places::new();
    let once = |slot: &mut Option<usize>, seen: bool, at| *slot = (!seen).then_some(at);
    let mut seen_old: BTreeMap<&Nested<'_>, bool> = BTreeMap::new();
    for (at, line) in a.clone().zip(old.get(a.clone()).unwrap_or_default()) {
        let seen = seen_old.insert(line, true).is_some();
        once(&mut places.entry(line).or_default().0, seen, at);
    }
    let mut seen_new: BTreeMap<&Nested<'_>, bool> = BTreeMap::new();
    for (at, line) in b.clone().zip(new.get(b.clone()).unwrap_or_default()) {
        let seen = seen_new.insert(line, true).is_some();
        once(&mut places.entry(line).or_default().1, seen, at);
    }
    let mut pairs: Vec<_> = places
        .into_values()
        .filter_map(|(x, y)| Some((x?, y?)))
        .collect();
    pairs.sort_unstable();
    pairs
}

/// The longest run of pairs that rises on the second side too (pairs rise on the first already).
fn rising(pairs: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    // Patience sorting: `piles[n]` is the last pair of the best run of length n + 1.
    let mut piles: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let second = |index: usize| pairs.get(index).map_or(0, |pair| pair.1);
    for index in 0..pairs.len() {
        let place = piles.partition_point(|&top| second(top) < second(index));
        before.push(
            place
                .checked_sub(1)
                .and_then(|left| piles.get(left).copied()),
        );
        match piles.get_mut(place) {
            Some(top) => *top = index,
            None => piles.push(index),
        }
    }
    let mut run = Vec::with_capacity(piles.len());
    let mut at = piles.last().copied();
    while let Some(index) = at {
        run.extend(pairs.get(index));
        at = before.get(index).copied().flatten();
    }
    run.reverse();
    run
}

/// Collects the answer, putting blocks' heads above what changed in them.
#[derive(Default)]
struct Out<'t> {
    lines: Vec<(Change, &'t str)>,
    /// The block of the line written last, itself included.
    open: Vec<&'t str>,
}

impl<'t> Out<'t> {
    fn push(&mut self, change: Change, line: &Nested<'t>) {
        let shared = self
            .open
            .iter()
            .zip(&line.above)
            .take_while(|(a, b)| a == b)
            .count();
        for head in line.above.iter().skip(shared) {
            self.lines.push((Change::Context, head));
        }
        self.lines.push((change, line.text));
        self.open.clone_from(&line.above);
        self.open.push(line.text);
    }
}

/// The difference as text: one mark and one line each, ended by line feeds.
#[must_use]
pub fn write(lines: &[(Change, &str)]) -> String {
    let mut text = String::new();
    for (change, line) in lines {
        text.push(change.mark());
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(old: &str, new: &str) -> String {
        write(&diff(old.lines(), new.lines()))
    }

    #[test]
    fn equal_texts_do_not_differ() {
        let text = "hostname a\n!\ninterface x\n nameif inside\n";
        assert_eq!(of(text, text), "");
        assert_eq!(
            of("a\n!\nb", "a\nb\n\n: comment"),
            "",
            "separators say nothing"
        );
    }

    #[test]
    fn changed_lines_stand_below_the_head_of_their_block() {
        let old = "interface x\n nameif inside\n ip address 1\ninterface y\n shutdown\nroute a\n";
        let new = "interface x\n nameif inside\n ip address 2\ninterface y\n shutdown\nroute b\n";
        assert_eq!(
            of(old, new),
            " interface x\n- ip address 1\n+ ip address 2\n-route a\n+route b\n"
        );
    }

    #[test]
    fn a_whole_block_comes_and_goes() {
        let block = "object network A\n host 1\n";
        assert_eq!(of("", block), "+object network A\n+ host 1\n");
        assert_eq!(of(block, ""), "-object network A\n- host 1\n");
    }

    #[test]
    fn order_matters() {
        assert_eq!(
            of(
                "p
q
r
", "q
p
r
"
            ),
            "-p
+p
"
        );
    }

    #[test]
    fn a_member_that_changes_its_block_is_seen() {
        assert_eq!(
            of(
                "g A\n m 1\n m 2\ng B\n m 3\n",
                "g A\n m 1\ng B\n m 2\n m 3\n"
            ),
            " g A\n- m 2\n g B\n+ m 2\n"
        );
    }

    proptest! {
        /// Taking the removed lines out of the old text and putting the added ones in gives the new:
        /// what is neither removed nor added is the same on both sides, in the same order.
        #[test]
        fn what_is_left_on_both_sides_is_the_same(
            old in prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]), 0..24),
            new in prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]), 0..24),
        ) {
            let (old, new) = (nested(old), nested(new));
            let kept = anchors(&old, &new);
            for pair in kept.windows(2) {
                prop_assert!(pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1);
            }
            for (x, y) in kept {
                prop_assert_eq!(&old[x], &new[y]);
            }
        }
    }

    #[test]
    fn thousands_of_lines_are_compared_at_once() {
        let line =
            |index: u32| alloc::format!("access-list x extended permit tcp any host 10.{index}\n");
        let old: String = (0..10_000).map(line).collect();
        let new: String = (0..10_000)
            .filter(|index| index % 100 != 7)
            .map(line)
            .collect();
        let lines = diff(old.lines(), new.lines());
        assert_eq!(lines.len(), 100);
        assert!(lines.iter().all(|(change, _)| *change == Change::Removed));
    }
}
