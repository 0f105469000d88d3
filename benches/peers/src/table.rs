//! Tables in Markdown.

use std::fmt;

#[derive(Debug, Clone, Copy)]
pub enum Cell {
    Number(f64),
    /// The library does not support it.
    None,
    /// Its result was wrong.
    Wrong,
}

#[derive(Debug)]
pub struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<(String, Vec<Cell>)>,
    /// The last column is the best other value divided by the first.
    compares: bool,
}

impl Table {
    pub fn new(title: &str, columns: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: Vec::new(),
            compares: false,
        }
    }

    pub fn comparing(title: &str, columns: &[&str]) -> Self {
        let mut table = Self::new(title, columns);
        table.compares = true;
        let ratio = format!("best other / {}", columns[0]);
        table.columns.push(ratio);
        table
    }

    pub fn row(&mut self, name: String, mut cells: Vec<Cell>) {
        if self.compares {
            cells.push(ratio(&cells));
        }
        self.rows.push((name, cells));
    }
}

fn ratio(cells: &[Cell]) -> Cell {
    let number = |cell: &Cell| match cell {
        Cell::Number(number) => Some(*number),
        Cell::None | Cell::Wrong => None,
    };
    let best = cells[1..].iter().filter_map(number).min_by(f64::total_cmp);
    match (best, number(&cells[0])) {
        (Some(best), Some(own)) if own > 0.0 => Cell::Number(best / own),
        _ => Cell::None,
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n", self.title)?;
        writeln!(f, "| | {} |", self.columns.join(" | "))?;
        writeln!(f, "|---|{}", "---:|".repeat(self.columns.len()))?;
        for (name, cells) in &self.rows {
            write!(f, "| {name} |")?;
            for cell in cells {
                match cell {
                    Cell::Number(number) if number.fract() == 0.0 => write!(f, " {number} |")?,
                    Cell::Number(number) if *number < 10.0 => write!(f, " {number:.2} |")?,
                    Cell::Number(number) if *number < 100.0 => write!(f, " {number:.1} |")?,
                    Cell::Number(number) => write!(f, " {number:.0} |")?,
                    Cell::None => write!(f, " |")?,
                    Cell::Wrong => write!(f, " wrong |")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
