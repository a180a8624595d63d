// The product's mark.
export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0b5cc4" />
      <g fill="none" stroke="#fff" strokeWidth="2" strokeLinejoin="round">
        <path d="M16 5.5 25 10.7v10.6L16 26.5 7 21.3V10.7z" />
        <path d="M7 10.7 16 16l9-5.3M16 16v10.5" />
      </g>
    </svg>
  );
}
