// THREAD: any, one at a time - a value that its copies share until one of them is edited
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace continuo::session {

/// A copy costs a pointer. What can be seen through `*` is never written while a second handle has it: edit() then
/// makes a copy of its own first. Handles of one value may live, be copied and die in different threads; one handle
/// belongs to one thread at a time. (Not std::shared_ptr: its use_count() is relaxed and says nothing about what was
/// read before.)
template <class T>
class Shared {
 public:
  Shared() noexcept = default;  // holds nothing
  explicit Shared(T value) : box_(new Box{{1}, std::move(value)}) {}
  Shared(const Shared& other) noexcept : box_(other.box_) {
    if (box_ != nullptr) box_->handles.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(box_, other.box_);
    return *this;
  }
  ~Shared() {
    if (box_ != nullptr && box_->handles.fetch_sub(1, std::memory_order_acq_rel) == 1) delete box_;
  }

  [[nodiscard]] explicit operator bool() const noexcept { return box_ != nullptr; }
  [[nodiscard]] const T& operator*() const noexcept { return box_->value; }
  [[nodiscard]] const T* operator->() const noexcept { return &box_->value; }
  /// Nobody else sees what is written there. References that came from `*` before may see the old value.
  [[nodiscard]] T& edit() {
    if (box_ == nullptr) {
      *this = Shared(T{});
    } else if (box_->handles.load(std::memory_order_acquire) != 1) {
      *this = Shared(T(box_->value));
    }
    return box_->value;
  }
  /// One value, not merely an equal one.
  [[nodiscard]] bool same(const Shared& other) const noexcept { return box_ == other.box_; }

 private:
  struct Box {
    std::atomic<std::uint32_t> handles;
    T value;
  };
  Box* box_ = nullptr;
};

/// A vector that copies share. It reads as one; what changes it says so: edit(), push_back().
template <class T>
class SharedVector {
 public:
  using value_type = T;
  using const_iterator = typename std::vector<T>::const_iterator;

  SharedVector() noexcept = default;
  SharedVector(std::vector<T> items) : items_(items.empty() ? Shared<std::vector<T>>() : Shared(std::move(items))) {}
  SharedVector(std::initializer_list<T> items) : SharedVector(std::vector<T>(items)) {}

  [[nodiscard]] const std::vector<T>& get() const {
    static const std::vector<T> none;
    return items_ ? *items_ : none;
  }
  operator const std::vector<T>&() const { return get(); }
  [[nodiscard]] const_iterator begin() const { return get().begin(); }
  [[nodiscard]] const_iterator end() const { return get().end(); }
  [[nodiscard]] std::size_t size() const { return get().size(); }
  [[nodiscard]] bool empty() const { return get().empty(); }
  [[nodiscard]] const T& operator[](std::size_t i) const { return get()[i]; }
  [[nodiscard]] const T& front() const { return get().front(); }
  [[nodiscard]] const T& back() const { return get().back(); }

  [[nodiscard]] std::vector<T>& edit() { return items_.edit(); }
  void push_back(T item) { edit().push_back(std::move(item)); }
  T& emplace_back() { return edit().emplace_back(); }
  void clear() { items_ = {}; }

  [[nodiscard]] bool same(const SharedVector& other) const noexcept { return items_.same(other.items_); }
  friend bool operator==(const SharedVector& a, const SharedVector& b) { return a.same(b) || a.get() == b.get(); }

 private:
  Shared<std::vector<T>> items_;
};

}  // namespace continuo::session
