import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "./cn";

const look = cva(
  "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-lg font-medium whitespace-nowrap transition-colors select-none disabled:cursor-not-allowed disabled:opacity-60 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        primary: "bg-primary text-on-primary hover:brightness-110",
        outline: "border border-control bg-card text-text hover:bg-sunken",
        ghost: "hover:bg-sunken",
        danger: "border border-error bg-card text-error hover:bg-error-soft",
        link: "text-link underline underline-offset-2 hover:no-underline",
      },
      size: {
        normal: "h-9 px-3.5 text-sm",
        small: "h-7 px-2.5 text-[0.8125rem]",
        icon: "size-9",
        tiny: "size-7",
        inline: "min-h-6 px-0 text-sm",
      },
    },
    defaultVariants: { variant: "outline", size: "normal" },
  },
);

export type ButtonProps = ComponentProps<"button"> & VariantProps<typeof look>;

export function buttonLook(options: VariantProps<typeof look>, className?: string): string {
  return cn(look(options), className);
}

export function Button({ variant, size, className, type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={cn(look({ variant, size }), className)} {...rest} />;
}
