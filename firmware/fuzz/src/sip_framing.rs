//! A SIP byte stream, cut into messages at once and as it trickles in.

/// See [`sip::fuzz::framing`]. Trickling is quadratic, so only the first 8 KiB count.
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    sip::fuzz::framing(&data[..data.len().min(8 * 1024)]);
}

/// Messages as two companies' edges exchange them.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let body =
        "v=0\r\no=- 1 1 IN IP4 10.20.0.11\r\nc=IN IP4 10.20.0.11\r\nm=audio 9000 RTP/AVP 0\r\n";
    let head = |start: &str, len: usize| {
        format!(
            "{start}\r\nVia: SIP/2.0/TLS 10.20.0.11:5062;branch=z9hG4bK776;rport, \
             SIP/2.0/TLS 198.51.100.20;received=198.51.100.20\r\n\
             Max-Forwards: 70\r\nRoute: <sip:10.20.0.11:5062;lr>,\r\n <sip:203.0.113.10;lr>\r\n\
             From: \"A, <B>\" <sip:alice@10.20.0.11>;tag=1928\r\nt: <sip:bob@example.com>\r\n\
             Contact: <sip:alice@10.20.0.11:5062;transport=tls>\r\nCall-ID: a84b@10.20.0.11\r\n\
             CSeq: 314 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: {len}\r\n\r\n"
        )
    };
    let request = head(
        "INVITE sip:bob@203.0.113.10:5061;transport=tls SIP/2.0",
        body.len(),
    ) + body;
    let response = head("SIP/2.0 200 OK", 0);
    let compact = "OPTIONS sips:10.20.0.11 SIP/2.0\r\nv: SIP/2.0/TLS 10.20.0.11\r\nf: <sip:a@b>\r\n\
                   m: *\r\nl: 0\r\n\r\n";
    [
        request.clone(),
        response.clone(),
        compact.to_owned(),
        format!("\r\n\r\n{request}\r\n\r\n{response}"),
        "\r\n\r\n".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}
