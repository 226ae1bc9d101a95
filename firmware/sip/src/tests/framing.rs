use crate::{Error, Frame, Framer, HeaderName, Limits, Message, MessageKind, Method, StartLine};

const REQUEST: &[u8] = b"OPTIONS sip:10.20.0.11:5062 SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\
    Content-Length: 4\r\n\r\nbody";

fn frame(stream: &[u8]) -> Result<Option<Frame>, Error> {
    Framer::new(Limits::default()).next(stream)
}

fn with_headers(headers: &str) -> Vec<u8> {
    format!("OPTIONS sip:x SIP/2.0\r\n{headers}\r\n").into_bytes()
}

#[test]
fn a_message_is_framed_by_its_content_length() {
    let len = REQUEST.len();
    let expected = Frame::Message {
        head_len: len - 4,
        len,
    };
    assert_eq!(frame(REQUEST), Ok(Some(expected)));
    assert_eq!(frame(&REQUEST.repeat(2)), Ok(Some(expected)));
    assert_eq!(frame(&REQUEST[..len - 1]), Ok(None));
}

#[test]
fn the_compact_form_of_content_length_counts_too() {
    let message = with_headers("l \t:\t 2 \r\n");
    assert_eq!(frame(&message), Ok(None));
    let whole = [&message[..], b"ab"].concat();
    assert_eq!(
        frame(&whole).map(|frame| frame.map(|f| f.len())),
        Ok(Some(whole.len()))
    );
}

#[test]
fn keep_alives_are_frames_of_their_own() {
    let mut framer = Framer::new(Limits::default());
    let stream = [b"\r\n\r\n", REQUEST].concat();
    assert_eq!(framer.next(&stream), Ok(Some(Frame::KeepAlive)));
    assert_eq!(framer.next(&stream[2..]), Ok(Some(Frame::KeepAlive)));
    let message = framer.next(&stream[4..]).expect("well formed");
    assert_eq!(message.map(|frame| frame.len()), Some(REQUEST.len()));
    assert_eq!(framer.next(b"\r"), Ok(None));
}

#[test]
fn each_kind_of_garbage_has_its_reason() {
    let long_header = format!("X: {}\r\n", "a".repeat(8_192));
    let cases: &[(Vec<u8>, Error)] = &[
        (with_headers(""), Error::ContentLengthMissing),
        (
            with_headers("CSeq: 1 OPTIONS\r\n"),
            Error::ContentLengthMissing,
        ),
        (
            with_headers("l: 0\r\nContent-Length: 0\r\n"),
            Error::ContentLengthRepeated,
        ),
        (with_headers("l: -1\r\n"), Error::ContentLengthInvalid),
        (with_headers("l: 1 2\r\n"), Error::ContentLengthInvalid),
        (with_headers("l:\r\n"), Error::ContentLengthInvalid),
        (
            with_headers("l: 99999999999\r\n"),
            Error::ContentLengthInvalid,
        ),
        (with_headers("l: 16385\r\n"), Error::BodyTooLong),
        (with_headers("no colon\r\n"), Error::HeaderMalformed),
        (with_headers(": no name\r\n"), Error::HeaderMalformed),
        (
            with_headers(" folded into nothing\r\n"),
            Error::HeaderMalformed,
        ),
        (with_headers(&"a: b\r\n".repeat(129)), Error::TooManyHeaders),
        (with_headers(&long_header), Error::HeadTooLong),
        (with_headers("a: b\rc\r\n"), Error::BareLineBreak),
        (with_headers("a: b\nc\r\n"), Error::BareLineBreak),
        (with_headers("a: \0\r\n"), Error::ControlCharacter),
        (b"\x16\x03\x01\x02\0".to_vec(), Error::ControlCharacter),
        (b"{}".to_vec(), Error::StartLineMalformed),
        (b"OPTIONS\r\n".to_vec(), Error::StartLineMalformed),
        (b"OPTIONS sip:x\r\n".to_vec(), Error::StartLineMalformed),
        (b"OPTIONS  SIP/2.0\r\n".to_vec(), Error::StartLineMalformed),
        (b"SIP/2.0 99 Low\r\n".to_vec(), Error::StartLineMalformed),
        (b"SIP/2.0 0200 OK\r\n".to_vec(), Error::StartLineMalformed),
        (b"GET / HTTP/1.1\r\n".to_vec(), Error::VersionUnsupported),
        (b"SIP/3.0 200 OK\r\n".to_vec(), Error::VersionUnsupported),
        (b"\r\r".to_vec(), Error::BareLineBreak),
    ];
    for (stream, expected) in cases {
        let text = String::from_utf8_lossy(stream);
        assert_eq!(frame(stream), Err(*expected), "{text:.60}");
    }
}

#[test]
fn limits_are_met_exactly() {
    let limits = Limits {
        head_bytes: REQUEST.len() - 4,
        headers: 2,
        body_bytes: 4,
    };
    assert!(matches!(Framer::new(limits).next(REQUEST), Ok(Some(_))));
    for (smaller, expected) in [
        (
            Limits {
                head_bytes: limits.head_bytes - 1,
                ..limits
            },
            Error::HeadTooLong,
        ),
        (
            Limits {
                headers: 1,
                ..limits
            },
            Error::TooManyHeaders,
        ),
        (
            Limits {
                body_bytes: 3,
                ..limits
            },
            Error::BodyTooLong,
        ),
    ] {
        assert_eq!(Framer::new(smaller).next(REQUEST), Err(expected));
    }
}

#[test]
fn a_view_shows_start_line_headers_and_body() {
    let bytes = b"SIP/2.0 202 Accepted\r\nVIA: SIP/2.0/TLS a\r\nm: <sip:x>\r\n\
        Subject: one\r\n two\r\n\tthree\r\nl: 3\r\n\r\nabc";
    let message = Message::parse(bytes, bytes.len() - 3).expect("well formed");
    let reason = b"Accepted";
    assert_eq!(
        message.start_line(),
        StartLine::Status { code: 202, reason }
    );
    assert_eq!(message.kind(), MessageKind::Response(202));
    let headers: Vec<_> = message
        .headers()
        .map(|h| (h.name, h.text, h.value))
        .collect();
    assert_eq!(
        headers,
        [
            (HeaderName::Via, &b"VIA"[..], &b" SIP/2.0/TLS a"[..]),
            (HeaderName::Contact, b"m", b" <sip:x>"),
            (HeaderName::Other, b"Subject", b" one\r\n two\r\n\tthree"),
            (HeaderName::ContentLength, b"l", b" 3"),
        ]
    );
    for header in message.headers() {
        assert!(bytes[header.value_offset..].starts_with(header.value));
    }
    assert_eq!(message.body(), b"abc");
}

#[test]
fn methods_are_told_apart_by_their_exact_name() {
    assert_eq!(Method::from_name(b"MESSAGE"), Method::Message);
    assert_eq!(Method::from_name(b"message"), Method::Unknown);
    let line = StartLine::parse(b"SUBSCRIBE sip:a@b SIP/2.0").expect("well formed");
    assert_eq!(line.kind(), MessageKind::Request(Method::Subscribe));
}

#[test]
fn a_status_line_may_have_an_empty_phrase() {
    for line in [&b"SIP/2.0 180 "[..], b"SIP/2.0 180"] {
        let reason = b"";
        assert_eq!(
            StartLine::parse(line),
            Ok(StartLine::Status { code: 180, reason })
        );
    }
}

#[test]
fn a_view_of_part_of_a_message_is_refused() {
    for head_len in 0..REQUEST.len() - 4 {
        assert!(Message::parse(REQUEST, head_len).is_err());
    }
    assert_eq!(
        Message::parse(REQUEST, REQUEST.len() + 1).map(|_| ()),
        Err(Error::Truncated)
    );
}
