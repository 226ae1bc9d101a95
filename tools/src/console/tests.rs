//! The console client against a scripted box.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::screen::Screen;
use super::terminal::filter;
use super::{Console, Dialogue, find_error, is_prompt};

/// Plays a box: reads until the client has sent `expect`, echoes it, then prints `reply`.
async fn play(stream: &mut DuplexStream, script: &[(&str, &str)]) {
    for (expect, reply) in script {
        let mut got = Vec::new();
        while got.len() < expect.len() {
            got.push(stream.read_u8().await.unwrap());
        }
        assert_eq!(String::from_utf8(got).unwrap(), *expect);
        stream
            .write_all(expect.replace('\r', "\r\n").as_bytes())
            .await
            .unwrap();
        // In two pieces, so that no test depends on a reply arriving whole.
        let (first, second) = reply.split_at(reply.len() / 2);
        stream.write_all(first.as_bytes()).await.unwrap();
        tokio::task::yield_now().await;
        stream.write_all(second.as_bytes()).await.unwrap();
    }
}

fn scripted(script: &'static [(&'static str, &'static str)]) -> Console {
    let (ours, mut theirs) = duplex(64);
    tokio::spawn(async move {
        play(&mut theirs, script).await;
        // Keep the line open: a closed console is another case.
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    let mut console = Console::new(ours);
    console.set_patience(Duration::from_secs(5));
    console
}

#[tokio::test]
async fn a_command_returns_its_output_without_echo_and_prompt() {
    let mut console = scripted(&[("show clock\r", "12:00:00.000 UTC\r\nbox# ")]);
    assert_eq!(
        console.command("show clock").await.unwrap(),
        "12:00:00.000 UTC\n"
    );
}

#[tokio::test]
async fn a_refused_line_is_an_error_that_names_it() {
    let mut console = scripted(&[(
        "nonsense\r",
        "   ^\r\nERROR: % Invalid input detected at '^' marker.\r\nbox(config)# ",
    )]);
    let error = console.command("nonsense").await.unwrap_err().to_string();
    assert!(
        error.contains("nonsense") && error.contains("Invalid input"),
        "{error}"
    );
}

#[tokio::test]
async fn the_pager_is_turned_and_its_line_removed() {
    let mut console = scripted(&[
        ("show all\r", "one\r\n<--- More --->"),
        (" ", "\r              \rtwo\r\nbox# "),
    ]);
    let output = console.try_command("show all").await.unwrap();
    assert!(
        output.contains("one") && !output.contains("More"),
        "{output}"
    );
}

#[tokio::test]
async fn a_factory_box_is_given_a_password() {
    let mut console = scripted(&[
        (
            "enable\r",
            "The enable password is not set.  Please set it now.\r\nEnter  Password: ",
        ),
        ("secret99\r", "Repeat Password: "),
        ("secret99\r", "box# "),
        ("terminal pager 0\r", "box# "),
    ]);
    console.enable("secret99").await.unwrap();
}

#[tokio::test]
async fn questions_are_answered_in_the_order_asked() {
    let mut console = scripted(&[
        (
            "crypto ca enroll tp\r",
            "% Include the device serial number in the subject name? [yes/no]: ",
        ),
        ("no\r", "\r\nGenerate Self-Signed Certificate? [yes/no]: "),
        ("yes\r", "box(config)# "),
    ]);
    let dialogue = Dialogue::new("crypto ca enroll tp")
        .answer("serial number", "no")
        .answer("Self-Signed", "yes");
    console.dialogue(&dialogue).await.unwrap();
}

#[tokio::test]
async fn an_unforeseen_question_is_an_error_at_once() {
    let mut console = scripted(&[(
        "reload\r",
        "System config has been modified. Save? [Y]es/[N]o: ",
    )]);
    let error = console.command("reload").await.unwrap_err().to_string();
    assert!(error.contains("Save?"), "{error}");
}

#[tokio::test]
async fn a_paste_is_written_whole_and_its_end_is_found() {
    let mut console = scripted(&[
        ("hostname a\r", "a(config)# "),
        ("hostname b\r", "b(config)# "),
        ("! end of paste 0\r", "b(config)# "),
    ]);
    let output = console.paste("hostname a\nhostname b\n").await.unwrap();
    assert!(
        output.contains("a(config)#") && find_error(&output).is_none(),
        "{output}"
    );
}

#[tokio::test]
async fn silence_is_reported_with_the_last_lines() {
    let mut console = scripted(&[("x\r", "half a li")]);
    console.set_patience(Duration::from_millis(200));
    let error = console.command("x").await.unwrap_err().to_string();
    assert!(error.contains("half a li"), "{error}");
}

#[test]
fn prompts_are_told_from_text() {
    for prompt in [
        "sallyport>",
        "sallyport> ",
        "asa1#",
        "asa1(config)# ",
        "asa1(config-ca-trustpoint)# ",
        "a/pri/act# ",
    ] {
        assert!(is_prompt(prompt), "{prompt}");
    }
    for text in [
        "",
        "#",
        "two words#",
        "% Include? [yes/no]:",
        "a(b#",
        "name(mode)",
        "-> x",
    ] {
        assert!(!is_prompt(text), "{text}");
    }
}

fn plain(bytes: &[u8]) -> String {
    let mut screen = Screen::default();
    screen.feed(bytes);
    screen.text().to_owned()
}

#[test]
fn control_characters_are_resolved() {
    assert_eq!(plain(b"abc\x08\x08xy\r\n"), "axy\n");
    assert_eq!(plain(b"one\x1b[2Ktwo\r\r\nthree"), "onetwo\nthree");
    assert_eq!(plain(b"page\r    \rnext"), "next");
}

#[test]
fn control_a_x_leaves_and_a_doubled_control_a_is_sent() {
    let mut escaped = false;
    assert_eq!(filter(b"ab\x01", &mut escaped), (b"ab".to_vec(), false));
    assert_eq!(filter(b"\x01c", &mut escaped), (b"\x01c".to_vec(), false));
    assert_eq!(filter(b"d\x01x!", &mut escaped), (b"d".to_vec(), true));
}

#[tokio::test]
async fn a_lent_console_is_the_clients_until_it_hangs_up() {
    let mut console = scripted(&[
        ("hello\r", "who?\r\nbox# "),
        ("show clock\r", "noon\r\nbox# "),
    ]);
    let (mut client, line) = duplex(64);
    let dialogue = async {
        client.write_all(b"hello\r").await.unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(b"box# ") {
            heard.push(client.read_u8().await.unwrap());
        }
        drop(client);
        String::from_utf8(heard).unwrap()
    };
    let (lent, heard) = tokio::join!(console.lend(line), dialogue);
    lent.unwrap();
    assert_eq!(heard, "hello\r\nwho?\r\nbox# ");
    assert_eq!(console.command("show clock").await.unwrap(), "noon\n");
    assert!(console.transcript().contains("who?"));
}

#[tokio::test]
async fn a_box_out_of_the_factory_is_not_set_up_by_being_woken() {
    let mut console = scripted(&[
        (
            "",
            "Pre-configure Sallyport now through interactive prompts [yes]? ",
        ),
        ("no\r", "sallyport> "),
    ]);
    console.wait_ready().await.unwrap();
    // An Enter was on its way when the offer came.
    let mut console = scripted(&[
        ("", "Host name [sallyport]: "),
        ("\u{3}", "\r\nINFO: nothing was changed\r\nsallyport> "),
    ]);
    console.wait_ready().await.unwrap();
}
