// SPDX-License-Identifier: MIT
// A crash in a function that was inlined. The test counts lines: keep them.
mod shop {
    #[inline(always)]
    fn price<T: Copy>(item: *const T) -> T {
        // SAFETY: there is none, that is the point.
        unsafe { std::ptr::read_volatile(item) } // line 7: the crash
    }

    pub struct Basket<T> {
        pub items: Vec<T>,
    }

    impl Basket<i32> {
        #[inline(never)]
        pub fn total(&self, bad: *const i32) -> i32 {
            price(bad) + self.items.len() as i32 // line 17
        }
    }
}

fn main() {
    let basket = shop::Basket { items: vec![1, 2] };
    let bad = (std::env::args().count() - 1) as *const i32;
    println!("{}", basket.total(bad)); // line 25
}
