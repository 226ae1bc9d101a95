//! Commands that ask questions before they do anything.
//!
//! Questions are matched loosely, by a piece of their text anywhere in what was printed since the
//! last reply, because wording differs between releases by a word or a blank.

use anyhow::{Result, bail};

use super::{Console, PAGER, is_prompt};

/// A command and the answers to the questions it may ask.
#[derive(Clone, Debug)]
pub struct Dialogue {
    line: String,
    answers: Vec<Answer>,
}

#[derive(Clone, Debug)]
struct Answer {
    question: String,
    reply: String,
}

/// What the output so far asks of us.
enum Turn {
    Reply(usize),
    MorePages,
    Prompt,
    Unforeseen(String),
}

impl Dialogue {
    /// A command without questions.
    pub fn new(line: &str) -> Self {
        Self {
            line: line.to_owned(),
            answers: Vec::new(),
        }
    }

    /// Answers a question that contains `question`. `reply` may have several lines.
    #[must_use]
    pub fn answer(mut self, question: &str, reply: &str) -> Self {
        self.answer_always(question, reply);
        self
    }

    /// As [`Dialogue::answer`], in place.
    pub fn answer_always(&mut self, question: &str, reply: &str) {
        self.answers.push(Answer {
            question: question.to_owned(),
            reply: reply.to_owned(),
        });
    }

    /// The command.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Reads the text printed since the last reply.
    fn turn(&self, text: &str, has_echo: bool) -> Option<Turn> {
        let output = without_echo(text, has_echo)?;
        if output.trim_end_matches(' ').ends_with(PAGER) {
            return Some(Turn::MorePages);
        }
        let asked = self
            .answers
            .iter()
            .enumerate()
            .filter_map(|(index, answer)| {
                output
                    .rfind(&answer.question)
                    .map(|position| (position, index))
            });
        if let Some((_, index)) = asked.max_by_key(|(position, _)| *position) {
            return Some(Turn::Reply(index));
        }
        let last = output.rsplit('\n').next().unwrap_or_default();
        if is_prompt(last) {
            return Some(Turn::Prompt);
        }
        let end = last.trim_end();
        let is_question = ["[yes/no]:", "[confirm]", "[Y]es/[N]o:", "later:"]
            .iter()
            .any(|form| end.ends_with(form));
        is_question.then(|| Turn::Unforeseen(end.to_owned()))
    }
}

impl Console {
    /// Sends the line, answers what is asked, and returns the output without echo and prompt.
    pub(super) async fn converse(&mut self, dialogue: &Dialogue) -> Result<String> {
        self.discard();
        self.send(format!("{}\r", dialogue.line).as_bytes()).await?;
        let mut output = String::new();
        let mut has_echo = true;
        loop {
            let what = format!("the end of `{}`", dialogue.line);
            let text = self
                .wait_for(&what, |text| {
                    dialogue.turn(text, has_echo).map(|_| text.len())
                })
                .await?;
            output.push_str(without_echo(&text, has_echo).unwrap_or_default());
            match dialogue.turn(&text, has_echo) {
                Some(Turn::Reply(index)) => {
                    let reply = dialogue
                        .answers
                        .get(index)
                        .map_or("", |answer| answer.reply.as_str());
                    for line in reply.split('\n') {
                        self.send(format!("{line}\r").as_bytes()).await?;
                    }
                    has_echo = true;
                }
                Some(Turn::MorePages) => {
                    let shown = output
                        .trim_end_matches(' ')
                        .len()
                        .saturating_sub(PAGER.len());
                    output.truncate(shown);
                    // The pager erases its line instead of ending it, so there is no echo to skip.
                    self.send(b" ").await?;
                    has_echo = false;
                }
                Some(Turn::Prompt) | None => {
                    let end = output.rfind('\n').map_or(0, |at| at + 1);
                    output.truncate(end);
                    return Ok(output);
                }
                Some(Turn::Unforeseen(question)) => {
                    bail!("`{}` asked something unforeseen: {question}", dialogue.line)
                }
            }
        }
    }
}

/// The output behind the echo of the line just sent, once that echo is complete.
fn without_echo(text: &str, has_echo: bool) -> Option<&str> {
    if has_echo {
        text.split_once('\n').map(|(_, rest)| rest)
    } else {
        Some(text)
    }
}
