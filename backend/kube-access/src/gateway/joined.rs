//! Lists of JSON put together while they pass: the first as it came, and in its place for objects those of the others, too. Nothing is kept but what follows the
//! objects of the first.

use super::BodyStream;
use crate::KubeError;
use bytes::{Bytes, BytesMut};
use futures::stream::{BoxStream, try_unfold};
use futures::{StreamExt, TryStreamExt};
use std::io;

/// What may follow the objects of a list: its kind and metadata, where a server writes in the order of names.
const TAIL: usize = 64 << 10;

/// Lists that come one after the other; None: there is none after all.
pub type Lists = BoxStream<'static, Result<Option<BodyStream>, KubeError>>;

/// One list of many, in pieces.
pub fn joined(first: BodyStream, others: Lists) -> BodyStream {
    let joining =
        Joining { current: Some(first), others, cut: Cut::default(), shown: Shown::Nothing, of_first: true, some: false, tail: BytesMut::new() };
    try_unfold(joining, |mut joining| async move { io::Result::Ok(joining.next().await?.map(|piece| (piece, joining))) }).boxed()
}

struct Joining {
    current: Option<BodyStream>,
    others: Lists,
    cut: Cut,
    shown: Shown,
    of_first: bool,
    /// Whether an object has been passed on.
    some: bool,
    tail: BytesMut,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    /// The place for objects is open.
    Open,
    All,
}

impl Joining {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(current) = &mut self.current {
                if let Some(piece) = current.try_next().await? {
                    let out = self.pass(&piece)?;
                    if !out.is_empty() {
                        return Ok(Some(out));
                    }
                } else if self.cut.place == Place::After {
                    (self.current, self.of_first) = (None, false);
                } else {
                    return Err(bad("a list that is none, or half of one"));
                }
                continue;
            }
            match self.others.try_next().await.map_err(io::Error::other)? {
                Some(Some(list)) => (self.current, self.cut) = (Some(list), Cut::default()),
                Some(None) => (),
                None if self.shown == Shown::All => return Ok(None),
                None => {
                    self.shown = Shown::All;
                    let mut end = BytesMut::from(&b"]"[..]);
                    end.extend_from_slice(&self.tail);
                    return Ok(Some(end.freeze()));
                }
            }
        }
    }

    /// What of a piece goes on.
    fn pass(&mut self, piece: &Bytes) -> io::Result<Bytes> {
        let begins = !self.cut.some;
        let [before, objects, after] = self.cut.take(piece);
        let mut out = BytesMut::new();
        if self.of_first {
            out.extend_from_slice(&before);
            if self.shown == Shown::Nothing && self.cut.place != Place::Before {
                out.extend_from_slice(b"[");
                self.shown = Shown::Open;
            }
            if self.tail.len() + after.len() > TAIL {
                return Err(bad("too much after the objects of a list"));
            }
            self.tail.extend_from_slice(&after);
        }
        if begins && self.cut.some {
            if self.some {
                out.extend_from_slice(b",");
            }
            self.some = true;
        }
        if out.is_empty() {
            return Ok(objects);
        }
        out.extend_from_slice(&objects);
        Ok(out.freeze())
    }
}

fn bad(what: &'static str) -> io::Error {
    io::Error::other(KubeError::BadAnswer(what.to_owned()))
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Before,
    Objects,
    /// In something else in the place of the objects: Go writes an empty list as null.
    Null,
    After,
}

/// Where the objects of a list begin and end, found byte by byte: they are what `items` is, and of a table `rows`.
#[derive(Default)]
struct Cut {
    place: Place,
    /// Of braces and brackets; within the objects from there.
    depth: usize,
    string: bool,
    escaped: bool,
    /// The last string, as far as it matters.
    word: Vec<u8>,
    /// The value that comes is the objects.
    due: bool,
    /// Whether there is any object.
    some: bool,
}

impl Cut {
    /// Of a piece: what comes before the objects, what is of them, and what comes after them.
    fn take(&mut self, piece: &Bytes) -> [Bytes; 3] {
        let all = piece.len();
        let [mut before, mut objects, mut after] = match self.place {
            Place::Before => [0..all, all..all, all..all],
            Place::Objects => [0..0, 0..all, all..all],
            Place::Null => [0..0, 0..0, all..all],
            Place::After => [0..0, 0..0, 0..all],
        };
        for (at, byte) in piece.iter().copied().enumerate() {
            let place = self.place;
            match place {
                Place::Before if self.opens(byte) => {
                    before = 0..at;
                    if byte == b'[' {
                        (self.place, self.depth, objects) = (Place::Objects, 0, at + 1..all);
                    } else {
                        self.place = Place::Null;
                    }
                }
                Place::Objects if self.closes(byte) => {
                    self.place = Place::After;
                    (objects, after) = (objects.start..at, at + 1..all);
                }
                Place::Null if matches!(byte, b',' | b'}') => (self.place, after) = (Place::After, at..all),
                Place::After => break,
                _ => (),
            }
        }
        [before, objects, after].map(|part| piece.slice(part))
    }

    /// Whether a byte before the objects is the first of theirs.
    fn opens(&mut self, byte: u8) -> bool {
        if self.in_string(byte) || byte.is_ascii_whitespace() {
            return false;
        }
        if self.due {
            self.due = false;
            return true;
        }
        match byte {
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b':' => self.due = self.depth == 1 && matches!(self.word.as_slice(), b"items" | b"rows"),
            _ => (),
        }
        false
    }

    /// Whether a byte within the objects ends them.
    fn closes(&mut self, byte: u8) -> bool {
        if self.in_string(byte) || byte.is_ascii_whitespace() {
            return false;
        }
        if byte == b']' && self.depth == 0 {
            return true;
        }
        self.some = true;
        match byte {
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => (),
        }
        false
    }

    /// Whether a byte is of a string.
    fn in_string(&mut self, byte: u8) -> bool {
        if !self.string {
            self.string = byte == b'"' && !self.due;
            if self.string {
                self.word.clear();
            }
            return self.string;
        }
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.string = false,
            _ => (),
        }
        if self.string && self.word.len() < 8 {
            self.word.push(byte);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use futures::stream;
    use serde_json::{Value, json};

    fn body(text: &str, size: usize) -> BodyStream {
        let pieces: Vec<_> = text.as_bytes().chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        Box::pin(stream::iter(pieces))
    }

    async fn of(texts: &[Option<&str>], size: usize) -> io::Result<String> {
        let mut bodies = texts.iter().map(|text| text.map(|text| body(text, size))).collect::<Vec<_>>().into_iter();
        let first = bodies.next().flatten().unwrap();
        let pieces: Vec<Bytes> = joined(first, stream::iter(bodies.map(Ok)).boxed()).try_collect().await?;
        Ok(String::from_utf8(pieces.concat()).unwrap())
    }

    #[tokio::test]
    async fn lists_are_put_together_wherever_their_pieces_end() {
        // What looks like an end or a beginning and is none: in strings, below the top, and in what is before the objects.
        let first = r#"{"kind":"PodList","metadata":{"resourceVersion":"7","items":[0]},"x":"items","y":"\"items\":[","items":[{"a":"]}\\\"","b":[1,{"items":[2]}]}, {"c":[]}]}"#;
        let second = "{\"items\" : [\n {\"d\":\"\\\\\"} \n], \"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"9\"}}\n";
        let (empty, null) = (r#"{"kind":"PodList","items":[ ]}"#, r#"{"kind":"PodList","items":null,"metadata":{}}"#);
        let objects = |items: Value| json!({"kind": "PodList", "metadata": {"resourceVersion": "7", "items": [0]}, "x": "items", "y": "\"items\":[", "items": items});
        let (a, c, d) = (json!({"a": "]}\\\"", "b": [1, {"items": [2]}]}), json!({"c": []}), json!({"d": "\\"}));
        for size in 1..first.len() {
            for (texts, expected) in [
                (vec![Some(first)], objects(json!([a, c]))),
                (vec![Some(first), None, Some(second), Some(empty), Some(null), Some(second)], objects(json!([a, c, d, d]))),
                (vec![Some(null), Some(empty)], json!({"kind": "PodList", "items": [], "metadata": {}})),
                (vec![Some(empty), Some(second)], json!({"kind": "PodList", "items": [d]})),
                (vec![Some(second), Some(second)], json!({"kind": "PodList", "items": [d, d], "metadata": {"resourceVersion": "9"}})),
            ] {
                let text = of(&texts, size).await.unwrap();
                assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected, "in pieces of {size}: {text}");
            }
        }
    }

    #[tokio::test]
    async fn tables_are_put_together_by_their_rows() {
        let table = |row: u8| json!({"kind": "Table", "columnDefinitions": [{"name": "Name"}], "rows": [{"cells": [row]}]}).to_string();
        let text = of(&[Some(&table(1)), Some(&table(2))], 10).await.unwrap();
        let expected = json!({"kind": "Table", "columnDefinitions": [{"name": "Name"}], "rows": [{"cells": [1]}, {"cells": [2]}]});
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[tokio::test]
    async fn what_breaks_off_or_is_no_list_is_not_passed_on_as_a_whole_one() {
        let whole = r#"{"items":[]}"#;
        for half in ["", "{}", r#"{"kind":"Pod"}"#, r#"{"items":[{}"#, r#"{"items":[{"a":"]"#] {
            assert!(of(&[Some(half)], 4).await.is_err() && of(&[Some(whole), Some(half)], 4).await.is_err(), "{half}");
        }
        let long = format!(r#"{{"items":[],"x":"{}"}}"#, "y".repeat(TAIL));
        assert!(of(&[Some(&long)], 1_000).await.is_err());
        let refused = stream::iter([Err(KubeError::Unreachable("gone".to_owned()))]).boxed();
        assert!(joined(body(whole, 4), refused).try_collect::<Vec<Bytes>>().await.is_err());
    }
}
